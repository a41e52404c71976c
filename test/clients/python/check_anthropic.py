# SPDX-License-Identifier: AGPL-3.0-only
"""The Anthropic Python SDK against hoosh. See main.go for what is printed, script.go for what is answered."""

import asyncio

import anthropic
import pydantic

from common import ARGUMENTS, CLAUDE, EVENT, FAIR, MODEL, PARIS, SEEN, TEXT, THOUGHT, WEATHER, check, main, png64, raised, same

HELLO = [{"role": "user", "content": "Hello"}]
TOOLS = [{"name": "get_weather", "description": "The weather of a city", "input_schema": WEATHER}]

client = anthropic.Anthropic(max_retries=0)  # ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY say where


def ask(model, messages=HELLO, **more):
    return client.messages.create(model=model, max_tokens=50, messages=messages, **more)


def user(text):
    return [{"role": "user", "content": text}]


def check_usage(usage):
    same((usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens), (8, 3, 5))


def refused(kind, status, what, call):
    e = raised(kind, call)
    same((e.status_code, e.body["type"], e.body["error"]["type"]), (status, "error", what))
    assert e.body["error"]["message"] and e.request_id, "no message or request id"
    return e


@check
def messages(model):
    r = ask(model, system="Be brief.", stop_sequences=["END"])
    same([(b.type, b.text) for b in r.content], [("text", TEXT)])
    same((r.type, r.role, r.model, r.stop_reason, r.stop_sequence), ("message", "assistant", model, "end_turn", None))
    check_usage(r.usage)
    assert r.id and r._request_id, "no id or request id"


@check
def stream_events(model):
    kinds, text, usage = [], "", None
    for e in ask(model, system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}], stream=True):
        kinds.append(e.type)
        if e.type == "content_block_delta":
            text += e.delta.text
        if e.type == "message_delta":
            same(e.delta.stop_reason, "end_turn")
            usage = e.usage
    same(text, TEXT)
    once = list(dict.fromkeys(k for k in kinds if k != "ping"))
    same(once, ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"])
    assert kinds.count("content_block_delta") > 2, kinds
    check_usage(usage)


@check
def stream_helper(model):
    with client.messages.stream(model=model, max_tokens=50, messages=HELLO) as stream:
        same("".join(stream.text_stream), TEXT)
        final = stream.get_final_message()
    same((final.content[0].text, final.stop_reason), (TEXT, "end_turn"))
    check_usage(final.usage)


@check
def leave_a_stream():
    stream = ask(MODEL, stream=True)
    next(iter(stream))
    stream.close()


@check
def tool_call_and_result(model):
    history = user("How is the weather?")
    r = ask(model, history, tools=TOOLS, tool_choice={"type": "auto"})
    same((r.stop_reason, [b.type for b in r.content]), ("tool_use", ["tool_use"]))
    call = r.content[0]
    same((call.id, call.name, call.input), ("call_only", "get_weather", ARGUMENTS))
    history += [{"role": "assistant", "content": r.content},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "rain"}]}]
    same(ask(model, history, tools=TOOLS).content[0].text, "The tool says rain")


@check
def parallel_tool_calls_streamed(model):
    history, pieces = user("How is it in both?"), 0
    with client.messages.stream(model=model, max_tokens=50, messages=history, tools=TOOLS) as stream:
        for e in stream:
            pieces += e.type == "input_json"
        final = stream.get_final_message()
    assert pieces > 4, f"the arguments came in {pieces} pieces"
    same([(b.id, b.name, b.input) for b in final.content], [("call_first", "get_weather", ARGUMENTS), ("call_second", "get_weather", PARIS)])
    same(final.stop_reason, "tool_use")
    results = [{"type": "tool_result", "tool_use_id": b.id, "content": [{"type": "text", "text": f"sun in {b.input['city']}"}]} for b in final.content]
    r = ask(model, history + [{"role": "assistant", "content": final.content}, {"role": "user", "content": results}], tools=TOOLS)
    same(r.content[0].text, "The tool says sun in Köln and sun in Paris")


@check
def tools_run_by_the_sdk(model):
    @anthropic.beta_tool
    def get_weather(city: str, unit: str) -> str:
        """The weather of a city."""
        return f"sun in {city}, in {unit}"
    runner = client.beta.messages.tool_runner(model=model, max_tokens=50, messages=user("How is the weather?"), tools=[get_weather])
    same(runner.until_done().content[0].text, "The tool says sun in Köln, in celsius")


@check
def thinking_in_a_tool_loop():
    def ask(messages):
        return client.messages.create(model=CLAUDE, max_tokens=4096, messages=messages, tools=TOOLS, thinking={"type": "enabled", "budget_tokens": 2048})
    history = user("How is the weather?")
    r = ask(history)
    same([(b.type, getattr(b, "thinking", None)) for b in r.content], [("thinking", THOUGHT), ("tool_use", None)])
    history += [{"role": "assistant", "content": r.content},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_only", "content": "rain"}]}]
    r = ask(history)
    same((r.content[0].thinking, r.content[1].text), (THOUGHT, "The tool says rain"))


@check
def image(model):
    source = {"type": "base64", "media_type": "image/png", "data": png64()}
    r = ask(model, [{"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": "What is this?"}]}])
    same(r.content[0].text, SEEN)


class Event(pydantic.BaseModel):
    name: str
    participants: list[str]


@check
def structured_output(model):
    r = client.messages.parse(model=model, max_tokens=50, messages=user("Extract the event"), output_format=Event)
    same(r.parsed_output, Event(**FAIR))
    r = ask(model, user("Extract the event"), output_config={"format": {"type": "json_schema", "schema": EVENT}})
    same(Event.model_validate_json(r.content[0].text), Event(**FAIR))


@check
def count_tokens():
    same(client.messages.count_tokens(model=CLAUDE, messages=HELLO, system="Be brief.").input_tokens, 42)
    few = client.messages.count_tokens(model=MODEL, messages=HELLO).input_tokens
    many = client.messages.count_tokens(model=MODEL, messages=user("Hello " * 200), tools=TOOLS).input_tokens
    assert 0 < few < many, f"{few} tokens, and {many} of much more"


@check
def models():
    ids = [m.id for m in client.models.list(limit=2)]  # page by page
    assert {"test-model", "test-embed", "limited", "breaks", "claude-test"} <= set(ids), ids
    same(len(ids), len(set(ids)))
    same((client.models.retrieve("test-model").id, client.models.retrieve("test-model").type), ("test-model", "model"))
    refused(anthropic.NotFoundError, 404, "not_found_error", lambda: client.models.retrieve("nothing"))


@check
def wrong_key():
    other = client.with_options(api_key="sk-wrong")
    refused(anthropic.AuthenticationError, 401, "authentication_error", lambda: other.messages.create(model=MODEL, max_tokens=50, messages=HELLO))
    refused(anthropic.AuthenticationError, 401, "authentication_error", other.models.list)


@check
def unknown_model():
    for streamed in (False, True):
        refused(anthropic.NotFoundError, 404, "not_found_error", lambda: ask("nothing", stream=streamed))


@check
def bad_request(model):
    e = refused(anthropic.BadRequestError, 400, "invalid_request_error", lambda: ask(model, user("refuse")))
    assert "'temperature' is out of range." in e.message, e.message
    refused(anthropic.BadRequestError, 400, "invalid_request_error", lambda: ask(model, "no list"))


@check
def rate_limit():
    for model in ("limited", "claude-limited"):
        for streamed in (False, True):
            e = refused(anthropic.RateLimitError, 429, "rate_limit_error", lambda: ask(model, stream=streamed))
            same(e.response.headers["retry-after"], "7")


@check
def error_in_a_stream():
    for model in ("breaks", "claude-breaks"):
        text = ""
        try:
            for e in ask(model, stream=True):
                if e.type == "content_block_delta":
                    text += e.delta.text
        except anthropic.APIStatusError as e:
            assert e.body["error"]["message"], e.body
            same(text[:4], "one ")
            continue
        raise AssertionError("the stream ended as if all were well")


@check
def async_client():
    async def both():
        async with anthropic.AsyncAnthropic(max_retries=0) as a:
            whole, streamed = await asyncio.gather(
                a.messages.create(model=MODEL, max_tokens=50, messages=HELLO),
                a.messages.create(model=MODEL, max_tokens=50, messages=HELLO, stream=True))
            same(whole.content[0].text, TEXT)
            same("".join([e.delta.text async for e in streamed if e.type == "content_block_delta"]), TEXT)
    asyncio.run(both())


main("Anthropic Python", anthropic.__version__)
