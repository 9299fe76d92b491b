"""The rules of escalation: values in, a frozen decision out. No I/O, clock, randomness or waiting.

`classification` opens cases and raises levels, `commands` applies what people decide, `firing` lets time pass,
`settlement` learns who was told. `ladder` and `clocks` are what they move; `decision` is what comes out.
"""
