"""The processes of the hub. They never import each other; they meet in ``shared.contracts``."""
