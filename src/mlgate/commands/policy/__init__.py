"""``mlgate policy``: the policy file itself. Each public module here is an action."""

HELP = "check a policy, compare it with another, or print its schema"
ORDER = 80
