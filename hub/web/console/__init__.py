"""The console: pages for stewards and operators, server-made, usable without script."""
