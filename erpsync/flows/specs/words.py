"""What is wrong with how a line is to be made, in words that never hold what was written."""

from erpsync.core.specs import SpecProblem


def problem_text(line: str, problem: SpecProblem) -> str:
    """Return what keeps a parameter of a line from being read."""
    name, source = problem.parameter, problem.source
    match problem.rule:
        case "required":
            return f"line {line}: {name} is missing, looked for in {source}"
        case "max_chars":
            return f"line {line}: {name} is longer than it may be, in {source}"
        case "allow":
            return f"line {line}: {name} holds a character that is not allowed, in {source}"
        case "one_of":
            return f"line {line}: {name} is none of its choices, in {source}"
        case "several":
            return f"line {line}: {name} has several values in {source}, and all units of a line are made alike"
        case "differ":
            return f"line {line}: {name} is another one to the buyer than to the seller, in {source}"


def unknown_rules(line: str, rules: str) -> str:
    """Return what is said of a line whose item names a set of rules that is not configured."""
    return f"line {line}: its item is read by {rules}, which production.specs does not have"
