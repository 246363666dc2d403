"""Golden file of packages/llm: conversations by chat templates, as transformers renders and tokenizes them.

Run from the repository root: python tools/reference/chat_golden.py
Needs transformers and tokenizers; the versions that made the file are in it, under "made_by".

`tokenizer` is the content of a tokenizer.json, `roles` names its special tokens. For each of the `templates`, written
for this in the shapes that families of LLMs use, `chats` are conversations with their `text` and `ids`; those that the
template refuses have an `error` instead.
"""

import json
from pathlib import Path

import tokenizers
import transformers
from bpe_golden import TEXTS
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

GOLDEN = Path("packages/llm/test/goldens/chat.json")
MARKERS = [
    "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<bos>",
    "<eos>", "<start_of_turn>", "<end_of_turn>", "[INST]", "[/INST]", "<s>", "</s>", "<|user|>", "<|assistant|>",
    "<|system|>", "<|end|>",
]

TEMPLATES = {
    "smollm2": (
        "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
        "You are a helpful AI assistant.<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + "
        "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
        "{% endif %}"
    ),
    "llama3": """{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- '<|begin_of_text|><|start_header_id|>system<|end_header_id|>\\n\\n' }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if message.role in ['user', 'assistant'] %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
    {%- else %}
        {{- raise_exception('Unknown role ' + message.role) }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
""",
    "qwen2": """{%- set ns = namespace(last=-1) %}
{%- for message in messages[::-1] %}
    {%- if ns.last < 0 and message.role == "user" %}
        {%- set ns.last = (messages | length - 1) - loop.index0 %}
    {%- endif %}
{%- endfor %}
{%- if messages[0].role != 'system' %}
    {{- '<|im_start|>system\\nYou are Qwen.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- set content = message.content %}
    {%- if message.role == "assistant" and '</think>' in content and loop.index0 < ns.last %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
""",
    "gemma": (
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
        "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
        "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
        "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
    ),
    "mistral": """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}

{{- bos_token }}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('After the optional system message, conversation roles must alternate user/assistant') }}
    {%- endif %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- else %}
        {{- " " + message["content"] + eos_token }}
    {%- endif %}
{%- endfor %}
""",
    "phi3": (
        "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
    ),
}

USER = {"role": "user", "content": "One film for a rainy evening?"}
TURNS = [
    USER, {"role": "assistant", "content": "<think>\nRain, so…\n</think>\n\n  Amélie (2001).  "},
    {"role": "user", "content": "\n  Why? 🎬 $& {{ messages }} {% if x %}\n\n"},
]
CHATS = [
    [USER],
    [{"role": "system", "content": "  You recommend films.\n"}, USER],
    TURNS,
    [{"role": "system", "content": "Kurz."}, *TURNS],
    [USER, USER],
]
ROLES = {"begin": "<s>", "end": "</s>"}


def tokenizer() -> Tokenizer:
    own = Tokenizer(models.BPE())
    own.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    own.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    own.train_from_iterator(TEXTS, trainer)
    own.add_special_tokens([AddedToken(marker, normalized=False) for marker in MARKERS])
    own.add_tokens([AddedToken("<think>", normalized=False), AddedToken("</think>", normalized=False)])
    return own


def chat(fast, template: str, messages: list[dict], prompt: bool, variables: dict) -> dict:
    own = {"messages": messages, "addGenerationPrompt": prompt, "variables": variables}
    given = dict(chat_template=template, add_generation_prompt=prompt, **variables)
    try:
        text = fast.apply_chat_template(messages, tokenize=False, **given)
    except Exception as refused:  # What a template raises has no class of its own.
        return own | {"error": str(refused)}
    ids = fast.apply_chat_template(messages, tokenize=True, return_dict=False, **given)
    return own | {"text": text, "ids": list(ids)}


if __name__ == "__main__":
    own = tokenizer()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=own, bos_token="<s>", eos_token="</s>")
    golden = {
        "made_by": f"transformers {transformers.__version__}, tokenizers {tokenizers.__version__}",
        "tokenizer": json.loads(own.to_str()),
        "roles": ROLES,
        "templates": {
            name: {
                "template": template,
                "chats": [
                    chat(fast, template, messages, prompt, variables)
                    for messages in CHATS
                    for prompt, variables in ((True, {}), (False, {}), (True, {"enable_thinking": False}))
                ],
            }
            for name, template in TEMPLATES.items()
        },
    }
    GOLDEN.write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")
