"""Work for other processes or threads, or for this one: asked for now, answered when the answer is called."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import NoReturn, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def ask(
    executor: Executor | None, work: Callable[Arguments, Answer], *given: Arguments.args, **options: Arguments.kwargs
) -> Callable[[], Answer]:
    """What gives the answer, or raises what the work raised; without an executor the work is done then.

    An executor whose workers died takes no more work: that is raised by the answer too.
    """
    if executor is None:
        return partial(work, *given, **options)
    try:
        return executor.submit(work, *given, **options).result
    except Exception as error:
        return partial(_fail, error)


def at_hand(answer: Callable[[], object]) -> bool:
    """Whether an executor has worked out the answer already, or why there is none."""
    future = getattr(answer, "__self__", None)
    return isinstance(future, Future) and future.done()


def _fail(error: Exception) -> NoReturn:
    raise error
