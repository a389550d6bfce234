"""Encrypted columns. A ciphertext opens in its own column of its own row, and nowhere else.

rotation     encrypts every row again with the newest key, and counts rows per key
rows         the base class of models with encrypted columns, and its queryset
fields       the encrypted column, and the column with the id of its key
sealed       Sealed, an encrypted value
keyring      the configured keys, and what is done with one of them
"""
