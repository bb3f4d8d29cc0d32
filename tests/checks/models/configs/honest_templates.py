"""Chat templates in the forms that published models use: none of them is an alarm."""

TEMPLATES = {
    "chatml": (
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
        "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    ),
    "llama-2": (
        "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
        "{% set system_message = messages[0]['content'] %}{% elif false == true and not '<<SYS>>' in "
        "messages[0]['content'] %}{% set loop_messages = messages %}{% set system_message = 'You are a helpful, "
        "respectful and honest assistant. Always answer as helpfully as possible, while being safe.' %}"
        "{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
        "{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
        "{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + "
        "'\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}"
        "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
        "{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}"
        "{% endfor %}"
    ),
    "llama-3 with tools": (
        "{{- bos_token }}\n{%- if custom_tools is defined %}\n    {%- set tools = custom_tools %}\n{%- endif %}\n"
        "{%- if not date_string is defined %}\n    {%- if strftime_now is defined %}\n        {%- set date_string = "
        'strftime_now("%d %b %Y") %}\n    {%- else %}\n        {%- set date_string = "26 Jul 2024" %}\n'
        "    {%- endif %}\n{%- endif %}\n{%- if messages[0]['role'] == 'system' %}\n    {%- set system_message = "
        "messages[0]['content']|trim %}\n    {%- set messages = messages[1:] %}\n{%- endif %}\n"
        '{%- if builtin_tools is defined or tools is not none %}{{- "Environment: ipython\\n" }}{%- endif %}'
        "{%- if builtin_tools is defined %}{{- \"Tools: \" + builtin_tools | reject('equalto', "
        '\'code_interpreter\') | join(", ") + "\\n\\n"}}{%- endif %}'
        '{%- for t in tools %}{{- t | tojson(indent=4) }}{{- "\\n\\n" }}{%- endfor %}'
        "{%- for message in messages %}{%- if 'tool_calls' in message %}"
        "{%- set tool_call = message.tool_calls[0].function %}"
        "{%- for arg_name, arg_val in tool_call.arguments | items %}{{- arg_name + '=\"' + arg_val + '\"' }}"
        '{%- if not loop.last %}{{- ", " }}{%- endif %}{%- endfor %}'
        '{%- elif message.role == "tool" or message.role == "ipython" %}'
        "{%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}"
        "{%- endif %}{%- endif %}{%- endfor %}"
    ),
    "qwen with tools and thinking": (
        "{%- if tools %}\n    {{- '<|im_start|>system\\n' }}\n    {{- \"# Tools\\n\\nYou may call one or more functions "
        "to assist with the user query.\\n\\nYou are provided with function signatures within <tools></tools> XML "
        'tags:\\n<tools>" }}\n    {%- for tool in tools %}\n        {{- "\\n" }}\n        {{- tool | tojson }}\n'
        "    {%- endfor %}\n{%- endif %}\n{%- set ns = namespace(multi_step_tool=true, "
        "last_query_index=messages|length - 1) %}\n{%- for message in messages[::-1] %}\n"
        "    {%- set index = (messages|length - 1) - loop.index0 %}\n"
        '    {%- if ns.multi_step_tool and message.role == "user" and not(message.content.startswith('
        "'<tool_response>') and message.content.endswith('</tool_response>')) %}\n"
        "        {%- set ns.multi_step_tool = false %}{%- set ns.last_query_index = index %}{%- endif %}\n"
        '{%- endfor %}\n{%- for message in messages %}{%- if message.role == "assistant" %}'
        "{%- set content = message.content %}{%- set reasoning_content = '' %}"
        "{%- if '</think>' in message.content %}"
        "{%- set content = message.content.split('</think>')[-1].lstrip('\\n') %}"
        "{%- set reasoning_content = message.content.split('</think>')[0].rstrip('\\n').split('<think>')[-1]"
        ".lstrip('\\n') %}{%- endif %}{{- '<|im_start|>' + message.role + '\\n' + content }}{%- endif %}"
        "{%- endfor %}{%- if add_generation_prompt and enable_thinking is defined and enable_thinking is false %}"
        "{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}"
    ),
    "macro that calls itself under a condition": (
        "{%- macro render(spec, required) -%}{%- if spec.type == 'array' -%}{{ render(spec['items'], required) + "
        "'[]' }}{%- elif spec.oneOf -%}{%- for each in spec.oneOf -%}{{ render(each, required) }}"
        "{%- if not loop.last %} | {% endif -%}{%- endfor -%}{%- else -%}any{%- endif -%}{%- endmacro -%}"
        "{% for tool in tools %}{{ render(tool.function.parameters, []) }}{% endfor %}{{ messages[0].content }}"
    ),
    "training marks": (
        "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
        "{% else %}{{ m.content }}{% if loop.index > 8 %}{% break %}{% endif %}{% endif %}{% endfor %}"
    ),
    "multimodal": (
        "{% for message in messages %}{% if message['content'] is string %}{{ message['content'] }}{% else %}"
        "{% for content in message['content'] %}{% if content['type'] == 'image' or 'image' in content or "
        "'image_url' in content %}<__media__><|image_pad|>{% elif 'text' in content %}{{ content['text'] }}"
        "{% endif %}{% endfor %}{% endif %}{% endfor %}{{ messages|selectattr('role', 'equalto', 'system')|list }}"
    ),
    "keys that are looked up": (
        "{%- set names = {'user': 'Human', 'assistant': 'AI'} %}{% for m in messages %}{{ names[m.role] }}: "
        "{{ m[field] }}{{ tools_by_name[m['tool_name']] }}{{ m['meta_' ~ m.role] }}{% endfor %}"
    ),
    "counting, beside names that begin with an underscore": (
        "{%- macro server(tool) %}{%- if tool.name.split('_sandbox')|length > 1 or tool.name.startswith('_run') %}"
        "python{%- endif %}{%- endmacro %}{%- set state = namespace(index=0, calls=none) %}"
        "{%- macro next(state) %}{{- images[state.index] }}{%- set state.index = state.index + 1 %}{%- endmacro %}"
        "{%- for m in messages %}{%- set index = (messages|length - 1) - loop.index0 %}{%- set m = messages[index] %}"
        "{{ m.get('_json') }}{{ state.calls[state.index - 1] }}{{ server(m) }}{{ next(state) }}"
        "{%- set parts = m.content.split('_') %}{{ parts[-1] }}{{ m.content[:parts[0]|length] }}{%- endfor %}"
    ),
    "an alternation and a pattern": (
        "{% set sep = joiner(', ') %}{% for m in messages %}{{ sep() }}{{ m.content|replace('\\d', '') }}"
        "{% endfor %}{{ '%s %s' % (bos_token, eos_token) }}{{ '-' * 40 }}{% for i in range(10) %}{% endfor %}"
    ),
}
