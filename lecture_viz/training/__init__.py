"""How the embedded networks were trained, reproducible; see `__main__`."""
