# SPDX-License-Identifier: AGPL-3.0-only
"""LangChain's chat models and embeddings of four vendors against hoosh. See main.go for what is printed, script.go for what is answered."""

import asyncio
import importlib.metadata
import os

import pydantic
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings
from langchain_ollama import ChatOllama, OllamaEmbeddings
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

import common
from common import ARGUMENTS, CLAUDE, FAIR, MODEL, PARIS, SEEN, TEXT, png64, same

loop = asyncio.new_event_loop()  # one for all: the classes share connections
KEY = os.environ["OPENAI_API_KEY"]
BEARER = {"headers": {"Authorization": "Bearer " + KEY}}
VENDORS = {  # the rest is in the environment
    "openai": lambda model: ChatOpenAI(model=model, max_retries=0, stream_usage=True),
    "openai responses": lambda model: ChatOpenAI(model=model, max_retries=0, use_responses_api=True),
    "anthropic": lambda model: ChatAnthropic(model=model, max_retries=0, max_tokens=50),
    "google": lambda model: ChatGoogleGenerativeAI(model=model, max_retries=1, base_url=os.environ["GOOGLE_GEMINI_BASE_URL"]),
    "ollama": lambda model: ChatOllama(model=model, base_url=os.environ["OLLAMA_HOST"], client_kwargs=BEARER),
}


@tool
def get_weather(city: str, unit: str) -> str:
    """The weather of a city."""
    return f"sun in {city}, in {unit}"


class Event(pydantic.BaseModel):
    """An event."""
    name: str
    participants: list[str]


def check(f):
    """A check that is done with each vendor's class, over the models of both backends."""
    for vendor, make in VENDORS.items():
        for model in (MODEL, CLAUDE):
            common.checks.append((f"{f.__name__} {vendor} {model}", f, [make(model)]))
    return f


def check_usage(usage):
    same((usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]), (11, 5, 16))


@check
def invoke(chat):
    r = chat.invoke([SystemMessage("Be brief."), HumanMessage("Hello")])
    same(r.text, TEXT)
    check_usage(r.usage_metadata)


@check
def stream(chat):
    parts = list(chat.stream("Hello"))
    assert len(parts) > 3, f"{len(parts)} parts"
    same("".join(p.text for p in parts), TEXT)
    whole = parts[0]
    for part in parts[1:]:
        whole += part
    check_usage(whole.usage_metadata)


@check
def tool_calls_and_results(chat):
    bound = chat.bind_tools([get_weather])
    history = [HumanMessage("How is it in both?")]
    r = bound.invoke(history)
    same([(c["name"], c["args"]) for c in r.tool_calls], [("get_weather", ARGUMENTS), ("get_weather", PARIS)])
    history += [r] + [get_weather.invoke(c) for c in r.tool_calls]
    assert all(isinstance(m, ToolMessage) for m in history[2:])
    same(bound.invoke(history).text, "The tool says sun in Köln, in celsius and sun in Paris, in celsius")


@check
def tool_calls_streamed(chat):
    whole = None
    for part in chat.bind_tools([get_weather]).stream("How is it in both?"):
        whole = part if whole is None else whole + part
    same([(c["name"], c["args"]) for c in whole.tool_calls], [("get_weather", ARGUMENTS), ("get_weather", PARIS)])


@check
def image(chat):
    content = [{"type": "text", "text": "What is this?"}, {"type": "image", "base64": png64(), "mime_type": "image/png"}]
    if isinstance(chat, ChatOllama):
        content[1] = {"type": "image_url", "image_url": "data:image/png;base64," + png64()}
    same(chat.invoke([HumanMessage(content)]).text, SEEN)


@check
def structured_output(chat):
    same(chat.with_structured_output(Event, method="json_schema").invoke("Extract the event"), Event(**FAIR))


@check
def ainvoke(chat):
    async def both():
        whole, parts = await asyncio.gather(chat.ainvoke("Hello"), listed(chat.astream("Hello")))
        same((whole.text, "".join(p.text for p in parts)), (TEXT, TEXT))
    async def listed(source):
        return [p async for p in source]
    loop.run_until_complete(both())


@common.check
def unknown_model():
    for vendor, make in VENDORS.items():
        try:
            make("nothing").invoke("Hello")
        except Exception as e:
            assert "nothing" in str(e), f"{vendor}: {e!r}"
            continue
        raise AssertionError(f"{vendor}: no error")


@common.check
def embeddings():
    def vectors(e):
        return [e.embed_query("the sea"), *e.embed_documents(["the sea", "a spanner"])]
    all_of_them = [
        vectors(OpenAIEmbeddings(model="test-embed", check_embedding_ctx_length=False)),
        vectors(GoogleGenerativeAIEmbeddings(model="test-embed", base_url=os.environ["GOOGLE_GEMINI_BASE_URL"])),
        vectors(OllamaEmbeddings(model="test-embed", base_url=os.environ["OLLAMA_HOST"], client_kwargs=BEARER)),
    ]
    for query, sea, spanner in all_of_them:
        assert len(sea) >= 8 and sea != spanner, "one vector for all"
        for v in (query, sea):
            assert all(abs(x - y) < 1e-6 for x, y in zip(v, all_of_them[0][0], strict=True)), "another vector for the same text"


common.main("LangChain", importlib.metadata.version("langchain-core"))
