"""Every command satisfies the contract of the package, and is found without a list."""

import argparse

import pytest

from mlgate import cli
from mlgate.core import discovery


def commands(package="mlgate.commands"):
    for module in discovery.modules(package):
        yield module
        if hasattr(module, "__path__"):
            yield from commands(module.__name__)


ALL = list(commands())


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.__name__)
def test_a_command_has_what_the_contract_asks(module):
    assert isinstance(module.ORDER, int)
    assert module.HELP[0].islower()
    assert not module.HELP.endswith(".")
    if not hasattr(module, "__path__"):
        module.arguments(argparse.ArgumentParser())
        assert callable(module.run)


def test_help_lists_every_command_in_its_order(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    own = sorted(discovery.modules("mlgate.commands"), key=lambda module: module.ORDER)
    places = [shown.index(f"\n    {module.__name__.rpartition('.')[2]} ") for module in own]
    assert places == sorted(places)


def test_no_two_commands_claim_one_place():
    for package in ("mlgate.commands", "mlgate.commands.policy"):
        orders = [module.ORDER for module in discovery.modules(package)]
        assert len(orders) == len(set(orders))


@pytest.mark.parametrize("name", ["check", "policy"])
def test_help_of_one_command_names_the_program(capsys, name):
    with pytest.raises(SystemExit):
        cli.main([name, "--help"])
    assert capsys.readouterr().out.startswith(f"usage: mlgate {name} ")
