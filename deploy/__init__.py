"""How the hub is brought to run: on one machine (``deploy.local``), in containers, and its migrations."""
