# SPDX-License-Identifier: AGPL-3.0-only
"""The OpenAI Python SDK against hoosh. See main.go for what is printed, backend.go for what is answered."""

import asyncio
import json
import sys
import traceback

import openai
import pydantic

MODEL = "test-model"
TEXT = "Hello from the backend 🎈"
HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
TOOLS = [{
    "type": "function",
    "function": {
        "name": "get_weather", "description": "The weather of a city", "strict": True,
        "parameters": {
            "type": "object", "required": ["city", "unit"], "additionalProperties": False,
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
        },
    },
}]
ARGUMENTS = {"city": "Köln", "unit": "celsius"}

client = openai.OpenAI(max_retries=0)  # OPENAI_BASE_URL and OPENAI_API_KEY say where
checks = []


def check(f):
    checks.append(f)
    return f


def same(got, want):
    assert got == want, f"got {got!r}, want {want!r}"


def user(text):
    return [{"role": "user", "content": text}]


def raises(kind, status, code, call):
    try:
        call()
    except openai.APIStatusError as e:
        same(type(e), kind)
        same(e.status_code, status)
        same(e.code, code)
        assert e.message and e.request_id, "no message or request id"
        return e
    raise AssertionError(f"no {kind.__name__}")


def check_usage(usage):
    same((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (11, 5, 16))
    same(usage.prompt_tokens_details.cached_tokens, 3)


@check
def chat():
    r = client.chat.completions.create(model=MODEL, messages=HELLO, temperature=0, max_completion_tokens=50)
    same(r.choices[0].message.content, TEXT)
    same((r.choices[0].message.role, r.choices[0].finish_reason, r.object), ("assistant", "stop", "chat.completion"))
    check_usage(r.usage)
    assert r._request_id, "no request id"


@check
def raw_response():
    r = client.chat.completions.with_raw_response.create(model=MODEL, messages=HELLO, extra_headers={"x-request-id": "mine-1"})
    same(r.headers["x-request-id"], "mine-1")
    same(r.headers["x-hoosh-provider"], "backend")
    same(r.parse().choices[0].message.content, TEXT)


@check
def stream():
    text = ""
    for chunk in client.chat.completions.create(model=MODEL, messages=HELLO, stream=True):
        text += chunk.choices[0].delta.content or ""  # there is a choice in each
        assert chunk.usage is None, "usage that nobody asked for"
    same(text, TEXT)


@check
def stream_with_usage():
    chunks = list(client.chat.completions.create(model=MODEL, messages=HELLO, stream=True, stream_options={"include_usage": True}))
    same([len(c.choices) for c in chunks[:-1]], [1] * (len(chunks) - 1))
    same(chunks[-1].choices, [])
    check_usage(chunks[-1].usage)
    same("".join(c.choices[0].delta.content or "" for c in chunks[:-1]), TEXT)


@check
def stream_helper():
    with client.chat.completions.stream(model=MODEL, messages=HELLO) as events:
        kinds = {e.type for e in events}
        final = events.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= kinds, kinds
    same(final.choices[0].message.content, TEXT)


@check
def leave_a_stream():
    events = client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    next(iter(events))
    events.close()


@check
def tool_call_and_result():
    messages = user("How is the weather?")
    r = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS, tool_choice="auto")
    message = r.choices[0].message
    same((r.choices[0].finish_reason, message.content, len(message.tool_calls)), ("tool_calls", None, 1))
    call = message.tool_calls[0]
    same((call.id, call.type, call.function.name), ("call_only", "function", "get_weather"))
    same(json.loads(call.function.arguments), ARGUMENTS)
    messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
    r = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
    same(r.choices[0].message.content, "The tool says rain")


@check
def parallel_tool_calls_streamed():
    calls, pieces = {}, 0
    for chunk in client.chat.completions.create(model=MODEL, messages=user("How is it in both?"), tools=TOOLS, stream=True):
        for t in chunk.choices[0].delta.tool_calls or []:
            call = calls.setdefault(t.index, {"id": "", "name": "", "arguments": ""})
            call["id"] += t.id or ""
            call["name"] += t.function.name or ""
            call["arguments"] += t.function.arguments or ""
            pieces += bool(t.function.arguments)
    assert pieces > 2, f"the arguments came in {pieces} pieces"
    same([calls[i]["id"] for i in (0, 1)], ["call_first", "call_second"])
    same([calls[i]["name"] for i in (0, 1)], ["get_weather"] * 2)
    same([json.loads(calls[i]["arguments"])["city"] for i in (0, 1)], ["Köln", "Paris"])


@check
def tool_stream_helper():
    with client.chat.completions.stream(model=MODEL, messages=user("How is the weather?"), tools=TOOLS) as events:
        final = events.get_final_completion()
    same(final.choices[0].message.tool_calls[0].function.parsed_arguments, ARGUMENTS)


class Event(pydantic.BaseModel):
    name: str
    participants: list[str]


@check
def structured_output():
    r = client.chat.completions.parse(model=MODEL, messages=user("Extract the event"), response_format=Event)
    same(r.choices[0].message.parsed, Event(name="Science fair", participants=["Alice", "Bob"]))


@check
def embeddings():
    texts = ["the sea", "a spanner"]
    packed = client.embeddings.create(model="test-embed", input=texts)  # the SDK asks for base64
    floats = client.embeddings.create(model="test-embed", input=texts, encoding_format="float")
    same([d.index for d in packed.data], [0, 1])
    for a, b in zip(packed.data, floats.data):
        assert len(a.embedding) >= 8 and len(a.embedding) == len(b.embedding), "lengths"
        assert all(abs(x - y) < 1e-6 for x, y in zip(a.embedding, b.embedding)), "base64 holds another vector"
    assert packed.data[0].embedding != packed.data[1].embedding, "two texts, one vector"
    same(packed.usage.total_tokens, packed.usage.prompt_tokens)


@check
def models():
    ids = [m.id for m in client.models.list()]
    assert {"test-model", "test-embed", "limited", "breaks"} <= set(ids), ids
    one = client.models.retrieve("test-model")
    same((one.id, one.object), ("test-model", "model"))
    raises(openai.NotFoundError, 404, "model_not_found", lambda: client.models.retrieve("nothing"))


@check
def legacy_completion():
    r = client.completions.create(model=MODEL, prompt="Say hello")
    same((r.object, r.choices[0].text), ("text_completion", TEXT))
    text = "".join(c.choices[0].text for c in client.completions.create(model=MODEL, prompt="Say hello", stream=True))
    same(text, TEXT)


@check
def wrong_key():
    other = client.with_options(api_key="sk-wrong")
    raises(openai.AuthenticationError, 401, "invalid_api_key", lambda: other.chat.completions.create(model=MODEL, messages=HELLO))
    raises(openai.AuthenticationError, 401, "invalid_api_key", other.models.list)


@check
def unknown_model():
    for streamed in (False, True):
        raises(openai.NotFoundError, 404, "model_not_found",
               lambda: client.chat.completions.create(model="nothing", messages=HELLO, stream=streamed))


@check
def bad_request():
    e = raises(openai.BadRequestError, 400, "invalid_value", lambda: client.chat.completions.create(model=MODEL, messages=user("refuse")))
    same((e.param, e.type), ("temperature", "invalid_request_error"))
    raises(openai.BadRequestError, 400, None, lambda: client.chat.completions.create(model=MODEL, messages="no list"))


@check
def rate_limit():
    e = raises(openai.RateLimitError, 429, "rate_limit_exceeded", lambda: client.chat.completions.create(model="limited", messages=HELLO))
    same(e.response.headers["retry-after"], "7")


@check
def error_in_a_stream():
    text = ""
    try:
        for chunk in client.chat.completions.create(model="breaks", messages=HELLO, stream=True):
            text += chunk.choices[0].delta.content or ""
    except openai.APIError as e:
        assert e.message, "no message"
        assert text.startswith("one "), f"the text before it was {text!r}"
        return
    raise AssertionError("the stream ended as if all were well")


@check
def async_client():
    async def both():
        async with openai.AsyncOpenAI(max_retries=0) as a:
            whole, streamed = await asyncio.gather(
                a.chat.completions.create(model=MODEL, messages=HELLO),
                a.chat.completions.create(model=MODEL, messages=HELLO, stream=True))
            same(whole.choices[0].message.content, TEXT)
            same("".join([c.choices[0].delta.content or "" async for c in streamed]), TEXT)
            same([m.id async for m in a.models.list()][:1] != [], True)
    asyncio.run(both())


def main():
    print("name OpenAI Python", openai.__version__)
    failed = 0
    for f in checks:
        try:
            f()
            print("ok", f.__name__)
        except Exception as e:
            failed += 1
            where = traceback.extract_tb(e.__traceback__)[-1]
            print(f"FAIL {f.__name__}: {type(e).__name__}: {e} (line {where.lineno})".replace("\n", " "))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
