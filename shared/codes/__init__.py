"""Code lists the hub ships: read once, on first use, and never changed while a process lives.

Every list stands in ``data/<name>/`` beside a README that names its source, its licence and its rules of use; the module of
the same subject holds those rules as functions. A missing or broken file is ours to mend and raises
:class:`shared.errors.Misconfigured`.
"""
