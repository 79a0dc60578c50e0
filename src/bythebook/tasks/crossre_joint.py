"""CrossRE as joint extraction: the entity types of each domain, and every sentence as one question.

The types are those of CrossNER (Z. Liu et al., AAAI 2021), from which the sentences come, by domain; in our own words.
A domain's list holds what its files hold; of music and politics, which we have not seen, what that paper lists. An
entity of another type is left out with its relations, and `data check` lists it: no answer could name it. The relations
are those of the guideline `crossre`, whose preamble speaks of two marked mentions and is replaced here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from bythebook.guidelines import load_from_library
from bythebook.readers.documents import Document
from bythebook.tasks.extraction import Passage, passage_of, questions
from bythebook.types import EntityType, Example, Guideline, SubTask

__all__ = ["DOMAIN_TYPES", "TYPES", "joint_examples", "joint_guideline", "passages", "undeclared"]

PREAMBLE = """\
Mark the entities that a sentence names, with their types, and the relations that it makes explicit between them.
Take a name as a whole and leave articles off. Where two types would fit, the narrower one holds: a writer is a writer
and no person. `misc` is for names and terms that matter in the sentence and belong to no other type.
Go by the text and not by general knowledge. Of a chain only its links count: where the first lies in the second and
the second in a third, the first and the third are unrelated unless the text joins them. Where a text has a main
entity, others are tied to it rather than to each other. A pair may have several relations. compare, opposite,
related-to and social are the same in both directions.
In the examples two mentions are marked, and the answer says which of them is the head: (e1,e2) the first marked,
(e2,e1) the second."""

TYPES: Mapping[str, str] = {
    "academicjournal": "a periodical that prints research",
    "album": "a collection of recordings that came out under one title",
    "algorithm": "a procedure, a model or a method of computing",
    "astronomicalobject": "a planet, a star, an asteroid or another body in space",
    "award": "a prize, a medal or an honour",
    "band": "a group of people who make music under one name",
    "book": "a novel, a non-fiction book or another work in print that is not a poem",
    "chemicalcompound": "a substance made up of several elements",
    "chemicalelement": "an element of the periodic table",
    "conference": "a meeting of researchers, or the series of them",
    "country": "a state, also one of the past",
    "discipline": "a science or a branch of one",
    "election": "a vote by which offices or seats are filled",
    "enzyme": "a protein that makes a reaction run faster",
    "event": "something that took place and has a name: a festival, a war, a tournament",
    "field": "an area of research in computing",
    "literarygenre": "a kind of writing: the ballad, crime fiction, satire",
    "location": "a place that is no country: a town, a region, a building, a river",
    "magazine": "a periodical for readers at large",
    "metrics": "a measure or a criterion by which systems are judged or trained",
    "misc": "a name or a term that matters and belongs to none of the other types",
    "musicalartist": "a person who makes music",
    "musicalinstrument": "a thing to make music with",
    "musicgenre": "a style of music",
    "organisation": "a company, an institution, a club or another body of people that no narrower type covers",
    "person": "a human being, real or invented, for whom there is no narrower type",
    "poem": "a work in verse",
    "politicalparty": "a party that stands in elections",
    "politician": "a person who holds or seeks a political office",
    "product": "a program, a system, a device or another thing that was built to be used",
    "programlang": "a language in which programs are written",
    "protein": "a protein that is no enzyme",
    "researcher": "a person who does research in computing or near it",
    "scientist": "a person who works in a science",
    "song": "a piece of music with words",
    "task": "a problem that systems are built to solve",
    "theory": "a theory, a law or a model of a science",
    "university": "a school of higher learning",
    "writer": "a person who writes books, poems or articles",
}
"""What belongs to each type."""

_ANYWHERE = ("person", "organisation", "country", "location", "misc")
DOMAIN_TYPES: Mapping[str, tuple[str, ...]] = {
    "ai": tuple(
        "algorithm task field metrics product programlang researcher university conference academicjournal "
        "event".split()
    )
    + _ANYWHERE,
    "literature": tuple(
        "writer scientist book poem literarygenre magazine award event song album band musicgenre programlang "
        "university".split()
    )
    + _ANYWHERE,
    "music": tuple("musicalartist band song album musicgenre musicalinstrument award event".split()) + _ANYWHERE,
    "news": _ANYWHERE,
    "politics": tuple("politician politicalparty election event".split()) + _ANYWHERE,
    "science": tuple(
        "scientist discipline theory university academicjournal book award event protein enzyme chemicalelement "
        "chemicalcompound astronomicalobject".split()
    )
    + _ANYWHERE,
}


@lru_cache(maxsize=len(DOMAIN_TYPES))
def joint_guideline(domain: str) -> Guideline:
    """The guideline `crossre` for joint extraction in a domain: with its entity types. KeyError for another domain."""
    types = tuple(EntityType(name=name, definition=TYPES[name]) for name in DOMAIN_TYPES[domain])
    update = {"entity_types": types, "preamble": PREAMBLE, "domain": domain}
    return load_from_library("crossre").model_copy(update=update)


def undeclared(documents: Iterable[Document], domain: str) -> list[tuple[int | None, str]]:
    """(line, message) for every entity of a type that the domain's guideline lacks."""
    types = set(DOMAIN_TYPES[domain])
    return [
        (
            d.line,
            f"an entity of the type {e.type!r}, which the guideline of {domain} lacks; left out of joint extraction",
        )
        for d in documents
        for e in d.entities
        if e.type not in types
    ]


def passages(documents: Iterable[Document], domain: str) -> list[Passage]:
    """Every sentence, under the id `crossre-<doc_key>`, without entities whose type the domain's guideline lacks."""
    guideline = joint_guideline(domain)
    kept = (_declared(d, frozenset(DOMAIN_TYPES[domain])) for d in documents)
    return [passage_of(d, guideline, name=f"crossre-{d.id}", domain=domain) for d in kept]


def _declared(document: Document, types: frozenset[str]) -> Document:
    """The document with its entities of these types, and the relations between them."""
    entities = tuple(e for e in document.entities if e.type in types)
    if len(entities) == len(document.entities):
        return document
    ids = {e.id for e in entities}
    relations = tuple(r for r in document.relations or () if r.head in ids and r.tail in ids)
    return document.model_copy(update={"entities": entities, "relations": relations})


def joint_examples(
    documents: Sequence[Document], domain: str, split: str, sub_tasks: Sequence[SubTask]
) -> list[Example]:
    """The sentences of one file as questions under the guideline of their domain."""
    return questions(passages(documents, domain), joint_guideline(domain), sub_tasks, split=split)
