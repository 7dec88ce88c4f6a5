"""How each system says what it knows: its own words, keys, dates and amounts. One module a system."""
