"""Which templates a sheet has questions from."""

from collections.abc import Sequence

from cnncalc.homework.quiz.drawing import Draw
from cnncalc.homework.quiz.template import Template
from cnncalc.homework.roster import canonical


def select(
    templates: Sequence[Template], wanted: Sequence[str], level: str, count: int, seed: str
) -> list[Template]:
    """The templates of a sheet, in order: those wanted by id or topic, as many as asked for.

    Where fewer are asked for than there are, the seed alone says which, so that all
    students get questions of the same kinds; where more, they come round again.
    """
    named = [one for word in wanted for one in templates if word in (one.id, one.topic)]
    pool = dict.fromkeys(one.id for one in (named if wanted else templates))
    by_id = {one.id: one for one in templates}
    fitting = [by_id[id] for id in pool if level in by_id[id].variants]
    if not fitting:
        return []
    if not count:
        return fitting
    if count >= len(fitting):
        return [fitting[place % len(fitting)] for place in range(count)]
    draw = Draw(canonical(seed), "", "templates")
    places = draw.several_of("choice", range(len(fitting)), count)
    return [fitting[place] for place in sorted(places)]
