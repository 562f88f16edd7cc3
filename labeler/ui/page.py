"""A page of pictures to confirm at a glance: what each is captioned as, and what the person says instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from labeler.core.types import UNLABELED, Provenance


@dataclass(slots=True)
class Page:
    """A page as the engine gave it: what is asked about it, what each picture is captioned as, what the person set
    otherwise (place on the page -> class).

    UNLABELED as the class of a place: it is left without an answer.
    """

    class_id: int
    indices: list[int]
    runner_ups: list[int] = field(default_factory=list)
    otherwise: dict[int, int] = field(default_factory=dict)
    painted: int = 0  # the how manyth painted question it was; 0 = not painted yet
    is_fixed: bool = False  # painted since it came to the front: its captions stay
    captions: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)  # what each picture was held to be when its caption was drawn
    is_named: bool = False  # a person said that all of them are `class_id`

    def __post_init__(self) -> None:
        self.captions = self.captions or [self.class_id] * len(self.indices)
        self.held = self.held or [UNLABELED] * len(self.indices)

    def caption(self, held: Sequence[int], *, without: int) -> bool:
        """Caption every picture as what it is `held` to be now, `without` such a class as that; whether any changed."""
        captions = [class_id if class_id != UNLABELED else without for class_id in held]
        changed = captions != self.captions
        self.captions, self.held = captions, list(held)
        self.otherwise = {place: other for place, other in self.otherwise.items() if other != captions[place]}
        return changed

    def name(self, class_id: int) -> None:
        """A person says what all of them are."""
        self.class_id, self.is_named = class_id, True
        self.captions = [class_id] * len(self.indices)
        self.otherwise = {place: other for place, other in self.otherwise.items() if other != class_id}

    def class_at(self, place: int) -> int:
        """Return the class that confirming would give to one picture."""
        return self.otherwise.get(place, self.captions[place])

    def painted_as(self) -> dict[int, int]:
        """index -> what it was held to be, of the pictures whose caption is not a person's word."""
        # the person said it: it does not rest on what was held
        if self.is_named:
            return {}
        return {index: self.held[place] for place, index in enumerate(self.indices) if place not in self.otherwise}

    def swap(self, place: int) -> bool:
        """The runner-up instead of the caption, or back; False where there is no runner-up."""
        if place in self.otherwise:
            del self.otherwise[place]
            return True
        # where the caption is the runner-up itself, the other one is what the page was laid out for
        others = (self.runner_ups[place], self.class_id)
        instead = next((other for other in others if other not in (UNLABELED, self.captions[place])), None)
        if instead is None:
            return False
        self.otherwise[place] = instead
        return True

    def leave_out(self, place: int) -> None:
        """No answer for one picture, or back."""
        if place in self.otherwise:
            del self.otherwise[place]
        else:
            self.otherwise[place] = UNLABELED

    def set(self, place: int, class_id: int) -> None:
        """Set one picture to the class that the person says."""
        # saying what the caption says is no exception: it stays a confirmation
        if class_id == self.captions[place]:
            self.otherwise.pop(place, None)
        else:
            self.otherwise[place] = class_id

    def restate(self, stands_for: Callable[[int], int]) -> None:
        """The same in the classes there are by now; UNLABELED stands for itself."""
        self.class_id = stands_for(self.class_id)
        self.captions = [stands_for(class_id) for class_id in self.captions]
        self.runner_ups = [stands_for(class_id) for class_id in self.runner_ups]
        others = {
            place: stands_for(class_id)
            for place, class_id in self.otherwise.items()
            if class_id == UNLABELED or stands_for(class_id) not in (UNLABELED, self.captions[place])
        }
        self.otherwise = others

    def drop(self, place: int) -> None:
        """Take a picture off the page."""
        del self.indices[place], self.captions[place], self.held[place]
        if self.runner_ups:
            del self.runner_ups[place]
        # places behind the one that is gone move up
        self.otherwise = {at - (at > place): class_id for at, class_id in self.otherwise.items() if at != place}

    def labels(self) -> list[tuple[int, int, Provenance]]:
        """Return what confirming saves: (index, class_id, provenance)."""
        return [
            (index, self.class_at(place), Provenance.HUMAN if place in self.otherwise else Provenance.CONFIRMED)
            for place, index in enumerate(self.indices)
            if self.class_at(place) != UNLABELED
        ]
