"""The unpickler as CPython's C code runs it, on symbols: nothing is imported, nothing is called.

The machine follows ``Modules/_pickle.c`` opcode by opcode: the same opcodes fail in the
same places, so that what it says ran before an error did run. Where a value cannot be
known it stands for anything, and the machine goes on: it may see more imports than a
real run would make, never fewer.
"""

import sys
from itertools import count
from struct import Struct

from mlgate.checks.models.pickle import opcodes as op
from mlgate.checks.models.pickle import words
from mlgate.checks.models.pickle.idioms import Place
from mlgate.checks.models.pickle.memo import HOLE
from mlgate.checks.models.pickle.nested import CODED_STARTS, PLAIN_STARTS
from mlgate.checks.models.pickle.slow import SlowOpcodes, shown_state
from mlgate.checks.models.pickle.state import Broken, Paused, Truncated
from mlgate.checks.models.pickle.values import (
    CONTAINERS,
    KEEP,
    LONGEST,
    NUMBER,
    Dict,
    Global,
    Made,
    cut,
    likeness,
)
from mlgate.checks.models.reader import LimitReached

_UINT4 = Struct("<I").unpack_from
_INT4 = Struct("<i").unpack_from
_DOUBLE = Struct(">d").unpack_from
_SCALAR_CODES = frozenset(b"KMJGN\x88\x89")
_NESTED_TEXT = PLAIN_STARTS | CODED_STARTS
_BIG_MEMO = 1 << 24
# A run of at least so many scalars is worth a regular expression.
_RUN = 24
# What the tail of the loop has to do: nothing, a rare opcode (1), or what follows a call that is known.
_CALLED = 2
# Streams of fewer opcodes are read to the last of them; idioms of so many turns pay, and where there
# are none, so many calls at most pass before one is looked for again.
_WARM = 10_000
_WORTH = 8
_PATIENCE = 1023
# Bytes that pass, at most, before a run of texts is looked for again.
_FAR = 1 << 16


class Machine(SlowOpcodes):
    """One unpickler, reading one stream."""

    def run(self) -> str:
        """Run on from :attr:`position`, and say how it ended.

        Returns:
            ``stop`` (the result is :attr:`result`), ``array`` (see :meth:`resume`), ``broken``
            (:attr:`error` says why) or ``truncated``. :attr:`position` is the offset after STOP,
            of the array, or of the opcode that failed.

        Raises:
            LimitReached: What was recorded before stands.
        """
        # Everything the loop touches is local: this is the one place where speed decides.
        memo, mark_stack, keep = self.memo, self.marks, self.keep
        early, late, code = memo.early, memo.late, memo.code
        stack = self.stack
        start = self.position
        buffer, usable = self.load(start)
        soft = usable
        base, position, opcode_at, no_run_before = start, 0, 0, 0
        # What rebuilds source wants the values that runs leave out.
        warm = _WARM if keep <= KEEP else sys.maxsize
        no_words_before, patience = sys.maxsize, 0
        # Of names whose calls were known: where the last ended, how many calls pass before an idiom is
        # looked for, and how many did the last time.
        calls: dict[Global, list[int]] = {}
        budget = self.limits.opcodes
        spent = self.opcodes
        step = 0
        rare = 0
        try:
            for step in count(1):
                if position >= soft:
                    if self.frame_end and base + position >= self.frame_end:
                        if base + position > self.frame_end:
                            self.leave_frame(base + opcode_at)
                        self.frame_end = 0
                        soft = usable
                        if position < soft:
                            # The frame's end is no opcode.
                            spent -= 1
                            continue
                    if base + position >= self.window.size:
                        raise Truncated  # noqa: TRY301 - one way out of the loop
                    if step + spent > budget:
                        raise LimitReached("opcodes")
                    self.stack = stack
                    self.breathe(position, step + spent - self.numbers)
                    late = memo.late
                    base += position
                    buffer, usable = self.load(base)
                    soft = min(usable, self.frame_end - base) if self.frame_end else usable
                    position = no_run_before = 0
                    no_words_before = 0 if step + spent > warm else sys.maxsize
                opcode_at = position
                opcode = buffer[position]
                if opcode == 0x8C:  # SHORT_BINUNICODE
                    if position >= no_words_before and memo.dense:
                        taken = words.run(
                            Place(buffer, position, position, soft, base), memo, stack, mark_stack
                        )
                        if taken.turns:
                            patience = 0
                            position = no_words_before = taken.end
                            spent += taken.opcodes - 1
                            self.skipped += taken.opcodes
                            continue
                        patience = min(patience * 2 + 64, _FAR)
                        no_words_before = taken.end + patience
                    end = position + 2 + buffer[position + 1]
                    try:
                        text = buffer[position + 2 : end].decode()
                    except UnicodeDecodeError:
                        text = buffer[position + 2 : end].decode("utf-8", "surrogatepass")
                    stack.append(text)
                    if end - position > 10 and text[0] in _NESTED_TEXT:
                        self.nested_text(text, base + position + 2)
                    if buffer[end] == 0x94 and end < soft and memo.dense:  # MEMOIZE
                        if late is None:
                            early.append(text)
                        else:
                            late.append(base + position << 1)
                        end += 1
                        spent += 1
                    position = end
                elif opcode == 0x94:  # MEMOIZE
                    if not memo.dense:
                        memo.memoize(stack[-1])
                    elif late is None:
                        early.append(stack[-1])
                    else:
                        late.append(memo.code(stack[-1]))
                    position += 1
                elif opcode == 0x4B:  # BININT1
                    if position >= no_run_before and buffer[position + 2] in _SCALAR_CODES:
                        # At most what is left of the window: the margin may cut an opcode in two.
                        run = op.SCALAR_RUN.match(buffer, position, soft)
                        no_run_before = run.end() if run else 0
                        if no_run_before - position > _RUN * 2:
                            found = len(op.SCALARS.findall(buffer, position, no_run_before))
                            stack += [NUMBER] * found
                            spent += found - 1
                            self.numbers += found - 1
                            position = no_run_before
                            continue
                    stack.append(buffer[position + 1])
                    position += 2
                elif opcode == 0x68:  # BINGET
                    index = buffer[position + 1]
                    value = early[index] if index < len(early) else memo.get(index)
                    if value is HOLE:
                        raise KeyError  # noqa: TRY301 - one way out of the loop
                    stack.append(value)
                    position += 2
                elif opcode == 0x71:  # BINPUT
                    index = buffer[position + 1]
                    if index == len(early) and late is None and memo.dense:
                        early.append(stack[-1])
                    else:
                        memo.put(index, stack[-1])
                    position += 2
                elif opcode == 0x58:  # BINUNICODE
                    if position >= no_words_before and memo.dense:
                        taken = words.run(
                            Place(buffer, position, position, soft, base), memo, stack, mark_stack
                        )
                        if taken.turns:
                            patience = 0
                            position = no_words_before = taken.end
                            spent += taken.opcodes - 1
                            self.skipped += taken.opcodes
                            continue
                        patience = min(patience * 2 + 64, _FAR)
                        no_words_before = taken.end + patience
                    size = _UINT4(buffer, position + 1)[0]
                    end = position + 5 + size
                    if size <= LONGEST:
                        try:
                            text = buffer[position + 5 : end].decode()
                        except UnicodeDecodeError:
                            text = buffer[position + 5 : end].decode("utf-8", "surrogatepass")
                        stack.append(text)
                        if size > 8 and text[0] in _NESTED_TEXT:
                            self.nested_text(text, base + position + 5)
                        if buffer[end] == 0x72 and end < soft - 4:  # LONG_BINPUT
                            index = _UINT4(buffer, end + 1)[0]
                            if memo.dense and index == len(early) + (0 if late is None else len(late)):
                                if late is None:
                                    early.append(text)
                                else:
                                    late.append(base + position << 1)
                                end += 5
                                spent += 1
                    else:
                        stack.append(self.payload("text", base + position + 5, size))
                    position = end
                elif opcode == 0x72:  # LONG_BINPUT
                    index = _UINT4(buffer, position + 1)[0]
                    if not memo.dense or index != len(early) + (0 if late is None else len(late)):
                        memo.put(index, stack[-1])
                    elif late is None:
                        early.append(stack[-1])
                    else:
                        late.append(memo.code(stack[-1]))
                    if index > _BIG_MEMO:
                        self.large_memo(index, base + position)
                    position += 5
                elif opcode == 0x6A:  # LONG_BINGET
                    index = _UINT4(buffer, position + 1)[0]
                    value = early[index] if index < len(early) else memo.get(index)
                    if value is HOLE:
                        raise KeyError  # noqa: TRY301 - one way out of the loop
                    stack.append(value)
                    position += 5
                elif opcode < 0x5D:
                    if opcode == 0x28:  # MARK
                        mark_stack.append(stack)
                        stack = []
                        position += 1
                    elif opcode == 0x4A:  # BININT
                        if position >= no_run_before and buffer[position + 5] in _SCALAR_CODES:
                            run = op.SCALAR_RUN.match(buffer, position, soft)
                            no_run_before = run.end() if run else 0
                            if no_run_before - position > _RUN * 5:
                                found = len(op.SCALARS.findall(buffer, position, no_run_before))
                                stack += [NUMBER] * found
                                spent += found - 1
                                self.numbers += found - 1
                                position = no_run_before
                                continue
                        stack.append(_INT4(buffer, position + 1)[0])
                        position += 5
                    elif opcode == 0x52:  # REDUCE
                        args = stack.pop()
                        callee = stack[-1]
                        known = None
                        if type(callee) is Global and type(args) is tuple and callee.quick:
                            known = callee.quick.get(likeness(args, callee.varied))
                        if known is None:
                            stack[-1] = self.reduce(callee, args, base + position, "REDUCE")
                        else:
                            # The same has been recorded before.
                            known.count += 1
                            stack[-1] = Made(callee, args, "call")
                            rare = _CALLED
                        position += 1
                    elif opcode == 0x4D:  # BININT2
                        stack.append(buffer[position + 1] | buffer[position + 2] << 8)
                        position += 3
                    elif opcode == 0x47:  # BINFLOAT
                        if position >= no_run_before and buffer[position + 9] in _SCALAR_CODES:
                            run = op.SCALAR_RUN.match(buffer, position, soft)
                            no_run_before = run.end() if run else 0
                            if no_run_before - position > _RUN * 9:
                                found = len(op.SCALARS.findall(buffer, position, no_run_before))
                                stack += [NUMBER] * found
                                spent += found - 1
                                self.numbers += found - 1
                                position = no_run_before
                                continue
                        stack.append(_DOUBLE(buffer, position + 1)[0])
                        position += 9
                    elif opcode == 0x43:  # SHORT_BINBYTES
                        end = position + 2 + buffer[position + 1]
                        data = buffer[position + 2 : end]
                        stack.append(data)
                        if end - position > 10:
                            self.nested_bytes(data, base + position + 2)
                        position = end
                    elif opcode == 0x29:  # EMPTY_TUPLE
                        stack.append(())
                        position += 1
                    elif opcode == 0x4E:  # NONE
                        stack.append(None)
                        position += 1
                    elif opcode == 0x2E:  # STOP
                        self.result = stack.pop()
                        self.stack = stack
                        self.position = base + position + 1
                        return "stop"
                    else:
                        rare = 1
                elif opcode < 0x85:
                    if opcode == 0x75:  # SETITEMS
                        items, stack = stack, mark_stack.pop()
                        target = stack[-1]
                        if type(target) is Dict:
                            if len(items) & 1:
                                raise Broken("odd number of items for SETITEMS")  # noqa: TRY301 - as above
                            if len(target) <= keep:
                                self.grow(target, items)
                        elif items:
                            self.fill(target, items, base + position, "SETITEMS")
                        position += 1
                    elif opcode == 0x7D:  # EMPTY_DICT
                        stack.append(Dict())
                        position += 1
                    elif opcode == 0x65:  # APPENDS
                        items, stack = stack, mark_stack.pop()
                        target = stack[-1]
                        if type(target) is list:
                            if len(target) <= keep:
                                self.grow(target, items)
                        elif items:
                            self.fill(target, items, base + position, "APPENDS")
                        position += 1
                    elif opcode == 0x5D:  # EMPTY_LIST
                        stack.append([])
                        position += 1
                    elif opcode == 0x63:  # GLOBAL
                        end = buffer.find(b"\n", position + 1, soft)
                        end = buffer.find(b"\n", end + 1, soft) if end > 0 else -1
                        before = self.imported.get(buffer[position + 1 : end]) if end > 0 else None
                        if before is not None:
                            before[1].count += 1
                            stack.append(before[0])
                            position = end + 1
                            continue
                        self.stack = stack
                        self.position = base + position
                        self.step(opcode, buffer, position)
                        if end > 0:
                            self.remember(buffer[position + 1 : end], stack[-1])
                        position = self.position - base
                    elif opcode == 0x73:  # SETITEM
                        value = stack.pop()
                        key = stack.pop()
                        target = stack[-1]
                        if type(target) is Dict:
                            if len(target) <= keep:
                                self.grow(target, [key, value])
                        else:
                            self.fill(target, [key, value], base + position, "SETITEM")
                        position += 1
                    elif opcode == 0x61:  # APPEND
                        value = stack.pop()
                        target = stack[-1]
                        if type(target) is list:
                            if len(target) <= keep:
                                self.grow(target, [value])
                        else:
                            self.fill(target, [value], base + position, "APPEND")
                        position += 1
                    elif opcode == 0x74:  # TUPLE
                        items, stack = stack, mark_stack.pop()
                        stack.append(tuple(self.some(items)))
                        position += 1
                    elif opcode == 0x81:  # NEWOBJ
                        callee = stack[-2] if len(stack) > 1 else None
                        known = None
                        if type(callee) is Global and stack[-1] == ():
                            known = callee.again.get("NEWOBJ")
                        if known is None:
                            rare = 1
                        else:
                            known.count += 1
                            stack.pop()
                            stack[-1] = Made(callee, (), "instance")
                            position += 1
                    elif opcode == 0x62:  # BUILD
                        target = stack[-2] if len(stack) > 1 else None
                        known = None
                        if type(target) is Made and not target.built and type(target.maker) is Global:
                            known = target.maker.again.get((target.how, type(stack[-1])))
                        if known is None:
                            rare = 1
                        else:
                            known.count += 1
                            target.built, target.state = True, shown_state(stack.pop())
                            position += 1
                    else:
                        rare = 1
                elif 0x85 <= opcode <= 0x87:  # TUPLE1, TUPLE2, TUPLE3
                    if opcode == 0x85:
                        first = stack.pop()
                        args = (cut(first) if type(first) in CONTAINERS else first,)
                    elif opcode == 0x86:
                        second = stack.pop()
                        first = stack.pop()
                        if type(first) in CONTAINERS:
                            first = cut(first)
                        if type(second) in CONTAINERS:
                            second = cut(second)
                        args = (first, second)
                    else:
                        third = stack.pop()
                        second = stack.pop()
                        args = tuple(self.kept([stack.pop(), second, third]))
                    position += 1
                    if late is not None and position < soft - 10 and memo.dense:
                        # Arguments: their memo entry, and the call, in one go.
                        if buffer[position] == 0x94:
                            late.append(code(args))
                            position += 1
                            spent += 1
                        elif (
                            buffer[position] == 0x72
                            and _UINT4(buffer, position + 1)[0] == len(early) + len(late) <= _BIG_MEMO
                        ):
                            late.append(code(args))
                            position += 5
                            spent += 1
                        if buffer[position] == 0x52 and stack and type(stack[-1]) is Global:
                            callee = stack[-1]
                            known = callee.quick and callee.quick.get(likeness(args, callee.varied))
                            if known:
                                known.count += 1
                                position += 1
                                spent += 1
                                stack[-1] = Made(callee, args, "call")
                                rare = _CALLED
                    if rare != _CALLED:
                        stack.append(args)
                elif opcode == 0x89:  # NEWFALSE
                    stack.append(False)
                    position += 1
                elif opcode == 0x88:  # NEWTRUE
                    stack.append(True)
                    position += 1
                else:
                    rare = 1
                if rare == _CALLED:
                    # What was called before with the like: the memo entry of its result, and what repeats it.
                    rare = 0
                    if position < soft - 10 and memo.dense:
                        size = 1 if buffer[position] == 0x94 else 5 if buffer[position] == 0x72 else 0
                        index = len(early) + (0 if late is None else len(late))
                        if size == 1 or (size and _UINT4(buffer, position + 1)[0] == index <= _BIG_MEMO):
                            if late is None:
                                early.append(stack[-1])
                            else:
                                late.append(code(stack[-1]))
                            position += size
                            spent += 1
                    last = calls.get(callee)
                    if last is None:
                        last = calls[callee] = [-1, 0, 0]
                    ended, last[0] = last[0], base + position
                    if ended >= base and memo.dense and step + spent > warm:
                        if last[1]:
                            last[1] -= 1
                        else:
                            place = Place(buffer, ended - base, position, soft, base)
                            taken = self.idioms.run(place, memo, stack, mark_stack, step + spent)
                            position = taken.end
                            spent += taken.opcodes
                            self.skipped += taken.opcodes
                            pause = 0 if taken.turns > _WORTH else min(last[2] * 2 + 1, _PATIENCE)
                            last[:] = base + position, pause, pause
                elif rare:
                    rare = 0
                    self.stack = stack
                    self.position = base + position
                    self.step(opcode, buffer, position)
                    stack = self.stack
                    position = self.position - base
                    if opcode == 0x95:  # FRAME
                        soft = min(usable, self.frame_end - base) if self.frame_end else usable
        except Truncated:
            ending, self.error = "truncated", "the stream ends before STOP"
        except Paused:
            # A joblib array follows; ``position`` was set where it begins.
            return "array"
        except (Broken, UnicodeDecodeError) as error:
            ending, self.error = "broken", str(error)
        except IndexError:
            ending, self.error = "broken", "an opcode takes more from the stack than it holds"
        except KeyError:
            ending, self.error = "broken", "an opcode reads a memo entry that was never written"
            self.missing_memo = True
        finally:
            self.opcodes = spent + step
        self.position = base + opcode_at
        if self.frame_end:
            self.leave_frame(self.position)
        return ending
