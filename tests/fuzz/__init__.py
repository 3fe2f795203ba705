"""What the parsers make of hostile bytes: ten thousand spoiled samples a format, and inputs that a coverage-guided fuzzer finds.

``make fuzz-mutations`` needs nothing else; ``make fuzz`` needs atheris, which exists for some systems only. Both judge with
:func:`tests.fuzz.judging.judge`. What was found once stands in ``tests/samples`` or ``tests/unit``.
"""
