"""The nouns: what a customer, a contract, an invoice is, whoever speaks of it. Imports nothing of ours."""
