"""The road of a record: intake, resolve, publish. Transactions are opened here and in the desk only."""
