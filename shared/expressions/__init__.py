"""The hub's own small language for conditions: rules of a policy, filters of a subscription.

An expression is one line (or, over several lines, one sentence) that is true or false of a dataset::

    any(goods_items, hs_code.startswith('93')) and not consignor.trusted
    outcome in ['hold', 'release'] and country_of_destination == 'BE'
    sum(goods_items, item_amount.amount) > 150 and absent(tax_scheme)
    days_between(posted_at, received_at) > 60

It is checked when loaded, against the names and types of the dataset, and compiled once to one Python function. It cannot call out, loop
without bound, change anything, or see a name that is not in the schema.

Grammar (``[]`` optional, ``{}`` repeated)::

    expression  = conjunction { 'or' conjunction }
    conjunction = negation { 'and' negation }
    negation    = [ 'not' ] comparison
    comparison  = sum { ( '==' | '!=' | '<' | '<=' | '>' | '>=' ) sum }
                | sum [ 'not' ] 'in' ( list | path )
    sum         = product { ( '+' | '-' ) product }
    product     = factor { ( '*' | '/' ) factor }
    factor      = [ '-' ] ( literal | path | call | '(' expression ')' )
    path        = name { '.' name }
    call        = function '(' arguments ')' | factor '.' method '(' argument ')'
    list        = '[' literal { ',' literal } ']'
    literal     = 'text' | 42 | 0.5 | True | False | date('2026-07-01') | instant('2026-07-01T00:00:00Z')

=========================== ==============================================================================================
``any(list, expression)``   whether the expression holds for one element
``all(list, expression)``   whether it holds for every element; of an empty or absent list it is true
``count(list[, expr])``     how many elements there are, or for how many the expression holds
``sum(list, number)``       the total; absent when one element's number is absent, 0 for an empty list
``absent(x)``               whether a value is not given; a list is absent when it is empty
``present(x)``              the opposite
``len(text)``               characters
``lower(text)``             the text in lower case
``matches(text, 'regex')``  whether the pattern is found in the first 1,000 characters; see :mod:`shared.expressions.patterns`
``days_between(a, b)``      calendar days from a to b
``x.startswith('93')``      also ``endswith``; one text, or a list of texts
``x.contains('battery')``   whether the text occurs in x
=========================== ==============================================================================================

Inside ``any``, ``all``, ``count`` and ``sum`` a name is looked up first in the element, then outside; ``it`` is the element itself.

Absent values: a comparison with an absent value is false (also ``!=`` and ``not in``), a method on one is false, an absent yes-or-no
counts as no, arithmetic with one is absent, a field of an absent object is absent. Division by zero is absent. So ``not x == 1`` holds
for an absent x and ``x != 1`` does not; say ``present(x)`` where it matters.

Types: text compares with text, numbers with numbers (decimal arithmetic, never binary fractions), dates with dates; an instant compares
with a date as midnight UTC. A field with a list of values compares only with one of them. Limits: 2,000 characters, 30 levels, 500
parts. A mistake raises :class:`ExpressionError` with its place and, where one is near, the word that was meant.

>>> from pydantic import BaseModel
>>> class Item(BaseModel):
...     hs_code: str | None = None
>>> class Parcel(BaseModel):
...     goods_items: tuple[Item, ...] = ()
>>> arms = compile_expression("any(goods_items, hs_code.startswith('93'))", Schema.of(Parcel))
>>> arms(Parcel(goods_items=(Item(hs_code="930200"),))), arms(Parcel(goods_items=(Item(),)))
(True, False)
>>> sorted(arms.fields)
['goods_items', 'goods_items.hs_code']
>>> compile_expression("any(goods_items, hs_cod == '93')", Schema.of(Parcel))
Traceback (most recent call last):
    ...
shared.expressions.errors.ExpressionError: unknown field 'hs_cod' at column 18; did you mean hs_code?
"""

from shared.expressions.compiling import Compiled, CompiledRules, compile_all, compile_expression
from shared.expressions.errors import ExpressionError
from shared.expressions.types import Schema

__all__ = ["Compiled", "CompiledRules", "ExpressionError", "Schema", "compile_all", "compile_expression"]
