# SPDX-License-Identifier: AGPL-3.0-only
"""The OpenAI Python SDK against hoosh. See main.go for what is printed, script.go for what is answered."""

import asyncio
import json

import openai
import pydantic

from common import ARGUMENTS, CLAUDE, FAIR, MODEL, PARIS, SEEN, TEXT, THOUGHT, WEATHER, check, main, png64, raised, same

HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "The weather of a city", "strict": True, "parameters": WEATHER}}]

client = openai.OpenAI(max_retries=0)  # OPENAI_BASE_URL and OPENAI_API_KEY say where


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
    same(r.choices[0].message.parsed, Event(**FAIR))


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


FLAT = [{"type": "function", **TOOLS[0]["function"]}]


@check
def responses(model):
    r = client.responses.create(model=model, instructions="Be brief.", input="Hello", store=False)
    same((r.output_text, r.status, r.object, r.model), (TEXT, "completed", "response", model))
    same((r.usage.input_tokens, r.usage.input_tokens_details.cached_tokens, r.usage.output_tokens, r.usage.total_tokens), (11, 3, 5, 16))


@check
def responses_stream(model):
    events = list(client.responses.create(model=model, input="Hello", store=False, stream=True))
    same("".join(e.delta for e in events if e.type == "response.output_text.delta"), TEXT)
    same([e.sequence_number for e in events], list(range(len(events))))
    same((events[0].type, events[-1].type), ("response.created", "response.completed"))
    with client.responses.stream(model=model, input="Hello", store=False) as stream:
        same(stream.until_done().get_final_response().output_text, TEXT)


@check
def responses_tool_calls(model):
    history = user("How is it in both?")
    r = client.responses.create(model=model, input=history, tools=FLAT, store=False)
    calls = [i for i in r.output if i.type == "function_call"]
    same([(c.call_id, c.name, json.loads(c.arguments)) for c in calls], [("call_first", "get_weather", ARGUMENTS), ("call_second", "get_weather", PARIS)])
    history += r.output
    history += [{"type": "function_call_output", "call_id": c.call_id, "output": f"sun in {json.loads(c.arguments)['city']}"} for c in calls]
    r = client.responses.create(model=model, input=history, tools=FLAT, store=False)
    same(r.output_text, "The tool says sun in Köln and sun in Paris")


@check
def responses_continued(model):
    first = client.responses.create(model=model, input="How is the weather?", tools=FLAT)
    call, = first.output
    output = [{"type": "function_call_output", "call_id": call.call_id, "output": "rain"}]
    second = client.responses.create(model=model, input=output, tools=FLAT, previous_response_id=first.id)
    same(second.output_text, "The tool says rain")
    same(client.responses.retrieve(second.id).output_text, second.output_text)
    client.responses.delete(second.id)
    raised(openai.NotFoundError, lambda: client.responses.retrieve(second.id))


@check
def responses_with_reasoning():
    def ask(history):
        r = client.responses.create(model=CLAUDE, input=history, tools=FLAT, store=False, reasoning={"effort": "medium", "summary": "auto"}, include=["reasoning.encrypted_content"])
        thoughts = [i for i in r.output if i.type == "reasoning"]
        same([s.text for i in thoughts for s in i.summary], [THOUGHT])
        assert thoughts[0].encrypted_content, "no encrypted_content"
        return r
    history = user("How is the weather?")
    history += ask(history).output + [{"type": "function_call_output", "call_id": "call_only", "output": "rain"}]
    same(ask(history).output_text, "The tool says rain")  # it thinks again: the signature came back


@check
def responses_image_and_schema(model):
    content = [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": "data:image/png;base64," + png64(), "detail": "auto"}]
    same(client.responses.create(model=model, input=[{"role": "user", "content": content}]).output_text, SEEN)
    same(client.responses.parse(model=model, input="Extract the event", text_format=Event).output_parsed, Event(**FAIR))


@check
def responses_errors(model):
    e = raised(openai.BadRequestError, lambda: client.responses.create(model=model, input="refuse"))
    assert "'temperature' is out of range." in e.message, e.message
    raised(openai.NotFoundError, lambda: client.responses.create(model="nothing", input="Hello"))
    for limited in ("limited", "claude-limited"):
        e = raised(openai.RateLimitError, lambda: client.responses.create(model=limited, input="Hello", stream=True))
        same(e.response.headers["retry-after"], "7")


@check
def responses_error_in_a_stream():
    for model in ("breaks", "claude-breaks"):
        text = ""
        try:
            for e in client.responses.create(model=model, input="Hello", stream=True):
                text += e.delta if e.type == "response.output_text.delta" else ""
        except openai.APIError as e:
            assert e.message, "no message"
            same(text[:4], "one ")
            continue
        raise AssertionError("the stream ended as if all were well")


@check
def chat_of_another_vendor():
    """OpenAI's chat format over Anthropic's."""
    model = "claude-test"
    same(client.chat.completions.create(model=model, messages=HELLO, temperature=0, seed=1).choices[0].message.content, TEXT)
    chunks = list(client.chat.completions.create(model=model, messages=HELLO, stream=True, stream_options={"include_usage": True}))
    same("".join(c.choices[0].delta.content or "" for c in chunks[:-1]), TEXT)
    check_usage(chunks[-1].usage)
    history = user("How is it in both?")
    message = client.chat.completions.create(model=model, messages=history, tools=TOOLS).choices[0].message
    same([(c.id, json.loads(c.function.arguments)) for c in message.tool_calls], [("call_first", ARGUMENTS), ("call_second", PARIS)])
    history += [message] + [{"role": "tool", "tool_call_id": c.id, "content": "sun"} for c in message.tool_calls]
    same(client.chat.completions.create(model=model, messages=history, tools=TOOLS).choices[0].message.content, "The tool says sun and sun")
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64," + png64()}}]
    same(client.chat.completions.create(model=model, messages=[{"role": "user", "content": content}]).choices[0].message.content, SEEN)
    same(client.chat.completions.parse(model=model, messages=user("Extract the event"), response_format=Event).choices[0].message.parsed, Event(**FAIR))


main("OpenAI Python", openai.__version__)
