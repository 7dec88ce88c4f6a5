"""The history of the store's tables. One revision per change, named NNNN_verb_noun."""
