"""What is handed to vLLM and to servers of a constraint, with stand-ins for both, and what is made of the answers."""

from __future__ import annotations

import json
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from openai_server import Reply, completion, serving

from bythebook.errors import ModelError
from bythebook.generation import Constraint, OpenAIModel, Sampling, VllmModel, load_model, server_at
from bythebook.generation.model import Messages
from bythebook.types import EntityType, Example, Guideline, RelationType, SubTask

GUIDELINE = Guideline(
    title="Papers",
    version="1",
    domain="papers",
    entity_types=(EntityType(name="Method", definition="d"),),
    relation_types=(RelationType(name="solves", definition="d"),),
)
JSON = '{"ner": [["a", "Method"]]}'


def constraint(sub_task: SubTask) -> Constraint:
    return Constraint.of(Example(id="x", text="a", guideline=GUIDELINE, domain="papers", sub_task=sub_task))


def ask(*texts: str) -> list[Messages]:
    return [[{"role": "user", "content": text}] for text in texts]


# --------------------------------------------------------------------------------------------------------------- vLLM


def test_vllm_gets_a_structural_tag_for_each_prompt_that_is_constrained(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def generate(prompts: list[Any], params: list[Any], use_tqdm: bool) -> list[Any]:
        asked.extend(params)
        one = SimpleNamespace(text="t", finish_reason="stop", token_ids=(1,))
        return [SimpleNamespace(outputs=[one]) for _ in prompts]

    engine = SimpleNamespace(
        generate=generate,
        get_tokenizer=lambda: tokenizer,
        llm_engine=SimpleNamespace(model_config=SimpleNamespace(max_model_len=50)),
    )
    module, parameters = ModuleType("vllm"), ModuleType("vllm.sampling_params")
    module.LLM = lambda **options: engine  # type: ignore[attr-defined]
    module.SamplingParams = SimpleNamespace  # type: ignore[attr-defined]
    parameters.StructuredOutputsParams = SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", module)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", parameters)
    form = constraint("ner")
    model = VllmModel("m")
    # The second prompt does not fit: the third must keep its own constraint.
    got = model.generate(
        ask("mug", "mug " * 60, "kettle", "office"), Sampling(), constraints=[None, None, form, constraint("label")]
    )
    assert [group[0].finish_reason for group in got] == ["stop", "error", "stop", "stop"]
    free, extraction, label = asked
    assert not hasattr(free, "structured_outputs")
    assert json.loads(extraction.structured_outputs.structural_tag) == form.structural_tag()
    assert "solves(e2,e1)" in label.structured_outputs.structural_tag
    model.generate(ask("mug"), Sampling())
    assert not hasattr(asked[-1], "structured_outputs")


# ------------------------------------------------------------------------------------------------------------- servers


def model_at(url: str, **terms: Any) -> OpenAIModel:
    pytest.importorskip("httpx2", reason="the 'openai' extra is not installed")
    model = load_model("openai:tester", endpoint=server_at(url, timeout=20, retries=0, **terms))
    assert isinstance(model, OpenAIModel)
    return model


def answering(content: str, finish: str = "stop", **message: Any) -> Any:
    """A server that says the same to everything."""
    reply = completion(content, finish, **message)
    return lambda body, headers: Reply(body=reply)


def test_a_server_gets_a_structural_tag() -> None:
    form, written = constraint("ner"), f"<think>t</think><answer>{JSON}</answer>"
    with serving(answering(written)) as server:
        got = model_at(server.url).generate(ask("a", "b"), Sampling(n=2), constraints=[form, None])
        model_at(server.url, prefilled=True).generate(ask("c"), Sampling(), constraints=[form])
    assert {c.text for group in got for c in group} == {written}
    formats = {body["messages"][0]["content"]: body.get("response_format") for _, body in server.asked}
    assert formats == {"a": form.structural_tag(), "b": None, "c": form.structural_tag(prefilled=True)}


@pytest.mark.parametrize(
    ("reply", "bound", "free"),
    [
        ({"content": JSON}, f"<answer>{JSON}</answer>", JSON),
        ({"content": JSON[:9], "finish": "length"}, f"<answer>{JSON[:9]}", JSON[:9]),
        (
            {"content": JSON, "reasoning_content": "why"},
            f"<think>why</think><answer>{JSON}</answer>",
            f"<think>why</think>{JSON}",
        ),
        ({"content": f"<answer>{JSON}</answer>"}, f"<answer>{JSON}</answer>", f"<answer>{JSON}</answer>"),
    ],
)
def test_an_answer_that_was_asked_for_as_json_gets_its_tags(reply: dict[str, str], bound: str, free: str) -> None:
    form = constraint("ner")
    with serving(answering(**reply)) as server:
        model = model_at(server.url, response_format="json_schema")
        got = model.generate(ask("a", "b"), Sampling(), constraints=[form, None])
    assert [group[0].text for group in got] == [bound, free]
    asked = {body["messages"][0]["content"]: body.get("response_format") for _, body in server.asked}
    assert asked["b"] is None
    assert asked["a"]["type"] == "json_schema"
    assert asked["a"]["json_schema"]["schema"] == form.json_schema


def test_a_label_can_not_be_asked_for_as_json() -> None:
    model = model_at("http://localhost:1/v1", response_format="json_schema")
    with pytest.raises(ModelError, match=r"a label is no JSON.*structural_tag"):
        model.generate(ask("a"), Sampling(), constraints=[constraint("label")])


def test_fields_of_the_endpoint_have_the_last_word() -> None:
    with serving(answering("x")) as server:
        model = model_at(server.url, extra={"response_format": {"type": "text"}})
        model.generate(ask("a"), Sampling(), constraints=[constraint("ner")])
    assert server.asked[0][1]["response_format"] == {"type": "text"}
