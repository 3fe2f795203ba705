"""Channels: one module each, with ``NAME`` and ``send``. A mailbox needs none, because it is the feed itself.

``kafka`` and ``outbound`` turn filed notices into records that are published with their batch; ``webhook`` posts one delivery at a time,
driven by ``services.notify.push`` from rows with a due time.
"""
