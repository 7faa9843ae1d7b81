"""The context of an expression: whether only its truth value counts, whether it needs parentheses."""

import libcst as cst

from .code import Code

#: What an `a or b` can stand in without parentheses.
_ROOMY = (
    cst.AnnAssign, cst.Assert, cst.Assign, cst.AugAssign, cst.DictElement, cst.Element, cst.Expr,
    cst.FormattedStringExpression, cst.For, cst.If, cst.IfExp, cst.Index, cst.Lambda,
    cst.NamedExpr, cst.Param, cst.Return, cst.While, cst.CompFor, cst.CompIf,
)  # fmt: skip
_CATCHES = frozenset({"KeyError", "LookupError", "Exception", "BaseException", "AttributeError"})


def is_test(code: Code, node: cst.CSTNode) -> bool:
    """Whether only the truth of an expression counts: it stands in an `if`, a `while`, behind `not`."""
    for outer, inner in code.parents(node):
        if isinstance(outer, cst.If | cst.While | cst.Assert | cst.IfExp | cst.CompIf):
            return outer.test is inner
        if isinstance(outer, cst.UnaryOperation):
            return isinstance(outer.operator, cst.Not)
        if not isinstance(outer, cst.BooleanOperation):
            return False
    return False


def is_alternative(code: Code, node: cst.CSTNode) -> bool:
    """Whether whatever is false gives way to something else: the left side of `or`."""
    outer = code.parent(node)
    is_or = isinstance(outer, cst.BooleanOperation) and isinstance(outer.operator, cst.Or)
    return isinstance(outer, cst.BooleanOperation) and is_or and outer.left is node


def is_compared_with_text(code: Code, node: cst.CSTNode) -> bool:
    """Whether it is only compared with texts that are not empty, which "" and None equal alike."""
    outer = code.parent(node)
    if not isinstance(outer, cst.Comparison):
        target = outer if isinstance(outer, cst.ComparisonTarget) else None
        outer = code.parent(target) if target else None
        other = outer.left if isinstance(outer, cst.Comparison) else None
        equal = target is not None and isinstance(target.operator, cst.Equal | cst.NotEqual)
        alone = isinstance(outer, cst.Comparison) and len(outer.comparisons) == 1
        return alone and equal and bool(text_of(other))
    if len(outer.comparisons) != 1:
        return False
    target = outer.comparisons[0]
    if isinstance(target.operator, cst.Equal | cst.NotEqual):
        return bool(text_of(target.comparator))
    choices = target.comparator
    return (
        isinstance(target.operator, cst.In | cst.NotIn)
        and isinstance(choices, cst.Tuple | cst.List | cst.Set)
        and all(bool(text_of(element.value)) for element in choices.elements)
    )


def text_of(node: cst.CSTNode | None) -> str | None:
    """Return the value of a text that is written out; None for any other expression."""
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def needs_parentheses(code: Code, node: cst.BaseExpression) -> bool:
    """Whether an `a or b` in the place of `node` needs parentheses that are not there."""
    outer = code.parent(node)
    if node.lpar:
        return False
    if isinstance(outer, cst.Arg):
        return bool(outer.star)
    if isinstance(outer, cst.BooleanOperation):
        return not isinstance(outer.operator, cst.Or)
    return not isinstance(outer, _ROOMY)


def is_low(node: cst.BaseExpression) -> bool:
    """Whether an expression needs parentheses behind `or`."""
    kinds = cst.IfExp | cst.Lambda | cst.NamedExpr | cst.Yield | cst.GeneratorExp
    return isinstance(node, kinds) and not node.lpar


def misses_are_caught(code: Code, node: cst.CSTNode) -> bool:
    """Whether a `KeyError` of this expression would be caught by the program, which then goes on."""
    for outer, inner in code.parents(node):
        if isinstance(outer, cst.FunctionDef | cst.Lambda):
            return False
        if isinstance(outer, cst.Try) and inner is outer.body:
            for handler in outer.handlers:
                if handler.type is None or _CATCHES & set(_words(code.source(handler.type))):
                    return True
    return False


def _words(text: str) -> list[str]:
    return text.replace("(", " ").replace(")", " ").replace(",", " ").split()
