"""modemmanager_faults.py - what goes wrong with a modem behind the real ModemManager.

Unplugged and back, the daemon killed, the bus gone, a SIM with a PIN, refusals, a
modem that falls silent, parts that the daemon overlooked, an end in the middle.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../pipeline"))

import cases
from modemmanager import NUMBER, hexed, ready
from modemmanager_modem import deliver, deliver_long
from modemmanager_world import Talk, World, wait_until

FINE, ABSENT, LOCKED, TIMED_OUT, NETWORK = 0, 1, 2, 5, 6
SIM_READY, SIM_PIN = 0, 1


def a_killed_daemon_tells_nothing_twice_and_deletes_what_became_safe(bench):
    world, talk = ready(bench)
    world.modem.receive(deliver("first"), deliver("second"))
    keys = {m["text"]: m["key"] for m in (talk.next("message"), talk.next("message"))}
    world.stop(world.daemon)
    talk.wait_state(presence="daemon")
    assert talk.reply("send", NUMBER, 0, hexed("x"))["fault"] == str(ABSENT)
    talk.forget(keys["first"])
    world.modem.receive(deliver("third"), at_once=True)
    world.start_daemon()
    talk.wait_state(presence="there", usable=1, registration=1)
    assert talk.next("message")["text"] == "third"
    wait_until("what became safe is deleted", lambda: len(world.modem.store) == 2)
    talk.none("message", 1)
    talk.forget(keys["second"])
    wait_until("the second is deleted", lambda: len(world.modem.store) == 1)
    talk.end()


def messages_that_nobody_kept_are_told_again_to_the_next(bench):
    world, talk = ready(bench)
    world.modem.receive(deliver("still here"))
    assert talk.next("message")["text"] == "still here"
    talk.end()
    talk = Talk(world)
    assert talk.next("message")["text"] == "still here"
    talk.end()


def parts_that_the_daemon_overlooked_are_found(bench):
    world, talk = ready(bench, "parts=2")
    text = "0123456789 " * 40
    world.modem.receive(deliver("before"))
    assert talk.next("message")["text"] == "before"
    world.modem.receive(*deliver_long(text, 150), at_once=True)
    message = talk.next("message")
    assert message["text"] == text, message
    talk.wait_state(usable=1, registration=1, incomplete=0)
    talk.forget(message["key"])
    wait_until("its parts are deleted", lambda: len(world.modem.store) == 1)
    talk.none("message", 1)
    talk.end()


def a_refusal_has_its_number_and_a_silent_modem_its_time(bench):
    world, talk = ready(bench)
    world.modem.refuse = 331
    reply = talk.reply("send", NUMBER, 0, hexed("x"))
    assert (reply["fault"], reply["code"]) == (str(NETWORK), "331") and reply["words"] == "no network service", reply
    world.modem.refuse = None
    assert talk.reply("send", NUMBER, 0, hexed("again"))["fault"] == str(FINE)
    world.modem.silent = True
    reply = talk.reply("send", NUMBER, 0, hexed("nobody hears"))
    assert reply["fault"] in (str(TIMED_OUT), str(ABSENT)), reply
    talk.end()


def an_unplugged_modem_is_missed_and_found_again(bench):
    world, talk = ready(bench)
    world.unplug()
    talk.wait_state(presence="modem", usable=0)
    assert talk.reply("send", NUMBER, 0, hexed("x"))["fault"] == str(ABSENT)
    world.plug()
    talk.wait_state(presence="there", usable=1, registration=1)
    assert talk.reply("send", NUMBER, 0, hexed("back"))["fault"] == str(FINE)
    assert [m["text"] for m in world.modem.sent] == ["back"]
    talk.end()


def a_reset_ends_in_a_modem_that_works(bench):
    world, talk = ready(bench)
    assert talk.reply("reset")["fault"] == str(FINE)
    talk.wait_state(presence="there", usable=1, registration=1)
    assert talk.reply("send", NUMBER, 0, hexed("after"))["fault"] == str(FINE)
    assert world.modem.sent[-1]["text"] == "after"
    talk.end()


def locked(bench, pin):
    world = World(bench)
    world.start_bus()
    world.start_daemon()
    world.modem.pin = "4711"
    return world, Talk(world, *([f"pin={pin}"] if pin else []))


def a_sim_with_a_pin_is_said_and_unlocked(bench):
    world, talk = locked(bench, None)
    talk.wait_state(presence="there", sim=SIM_PIN, trouble="the SIM is locked")
    assert talk.reply("send", NUMBER, 0, hexed("x"))["fault"] == str(LOCKED)
    assert world.modem.pins == []
    talk.end()
    talk = Talk(world, "pin=4711")
    talk.wait_state(presence="there", usable=1, sim=SIM_READY, registration=1)
    talk.end()


def a_wrong_pin_is_tried_once(bench):
    world, talk = locked(bench, "1234")
    talk.wait_state(presence="there", sim=SIM_PIN)
    wait_until("the PIN was tried", lambda: world.modem.pins == ["1234"])
    talk.wait_state(refused=1)
    world.restart_daemon()
    talk.wait_state(presence="daemon")
    talk.wait_state(presence="there", sim=SIM_PIN)
    talk.none("reply", 3)
    assert world.modem.pins == ["1234"], world.modem.pins
    talk.end()



def a_bus_that_goes_is_waited_for(bench):
    world = World(bench)
    talk = Talk(world)
    talk.none("reply", 0.5)
    world.start_bus()
    world.start_daemon()
    talk.wait_state(presence="there", registration=1)
    world.stop_bus()
    talk.wait_state(presence="daemon")
    world.start_bus()
    world.start_daemon()
    talk.wait_state(presence="there", registration=1)
    talk.end()


def closing_in_the_middle_of_a_request_waits_for_nobody(bench):
    world, talk = ready(bench)
    world.modem.silent = True
    talk.ask("send", NUMBER, 0, hexed("never"))
    talk.ask("ussd", hexed("*100#"))
    talk.none("reply", 0.5)
    took = talk.end()
    assert took < 3, took


if __name__ == "__main__":
    cases.main(
        a_killed_daemon_tells_nothing_twice_and_deletes_what_became_safe,
        messages_that_nobody_kept_are_told_again_to_the_next,
        parts_that_the_daemon_overlooked_are_found,
        a_refusal_has_its_number_and_a_silent_modem_its_time,
        an_unplugged_modem_is_missed_and_found_again,
        a_reset_ends_in_a_modem_that_works,
        a_sim_with_a_pin_is_said_and_unlocked,
        a_wrong_pin_is_tried_once,
        a_bus_that_goes_is_waited_for,
        closing_in_the_middle_of_a_request_waits_for_nobody)
