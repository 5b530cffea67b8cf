"""Steps of the program and of the server: they are stopped, die and start again."""
import contextlib
import signal
import subprocess
import time

import share
from share import step

DIED = 100
WAIT_S = 120
LATER_S = (90, 90, 3700, 3700)  # the program's clock before each further start
IDLE_OUT = 2                    # before this start the sessions of earlier ones are over, as on any server after ten idle minutes


@step(2)
def the_program_dies(p):
    """At a random durable step or call, and is started again."""
    if not p.world.sandbox:
        return None
    n = int(2 ** p.rng.uniform(0, 9))
    status = p.run_program('import', p.share, IMPOMERO_TRAP=f'step:{n}')
    if status not in (0, 1, DIED):
        raise AssertionError(f'exit status {status}\n{p.said}')
    p.model.look()
    for i, later in enumerate(LATER_S):
        p.ahead += later
        if i == IDLE_OUT:
            p.world.restart()
        with contextlib.suppress(AssertionError):
            p.look_once()
            break
    else:
        p.look_once()
    return f'{"die" if status == DIED else "do not reach the place to die"} at step {n}, start again {i + 1} times'


@step(0.5)
def the_server_restarts(p):
    if not p.world.sandbox:
        return None
    p.world.restart()
    p.look()
    return 'restart the server'


@contextlib.contextmanager
def serving(p, how):
    """`watch` for as long as the block lasts; it is stopped, or killed."""
    with open(p.bench.dir + '/watch.log', 'wb') as log:
        watch = subprocess.Popen(p.command('watch', p.share), env=p.env(IMPOMERO_POLL='4'), stdin=subprocess.DEVNULL, stderr=log)
    began = time.monotonic()
    try:
        while 'root.watched' not in p.bench.watch_log() and watch.poll() is None:
            time.sleep(0.05)
        yield
        if watch.poll() is not None:
            raise AssertionError(f'watch ended with {watch.returncode}\n{p.bench.watch_log()}')
        watch.send_signal(how)
        status = watch.wait(60)
        if how == signal.SIGTERM and status != 0:
            raise AssertionError(f'watch ended with {status}\n{p.bench.watch_log()}')
    finally:
        watch.kill()
        watch.wait()
        p.time_passed(began)


def wait_until_equal(p):
    """As the model, or the difference, after a long time."""
    p.model.look()
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        with contextlib.suppress(AssertionError):
            return p.compare()
        time.sleep(0.2)
    p.said = p.bench.watch_log()[-4000:]
    return p.compare()


def one_step_on_the_share(p):
    """One that looks by itself is for another time: the service holds the ledger."""
    fn = p.rng.choice([f for _, f in share.STEPS if f.__module__ == 'share' and f.__name__ not in share.LOOKING])
    said = fn(p)
    p.under_way += f', {said}'
    return said


@step(2)
def the_service_runs(p):
    """It finds the share changed, or sees it change, and is stopped or killed."""
    p.look()
    how = p.rng.choice([signal.SIGTERM, signal.SIGKILL])
    before = one_step_on_the_share(p) if p.rng.random() < 0.5 else None
    with serving(p, how):
        wait_until_equal(p)
        said = before or one_step_on_the_share(p)
        wait_until_equal(p)
    p.look()
    return f'watch: {said or "nothing happens"}, {how.name}'


@step(0.5)
def the_share_goes_away_under_the_service(p):
    p.look()
    with serving(p, signal.SIGTERM):
        wait_until_equal(p)
        p.mount.away()
        time.sleep(p.rng.random())
        p.mount.back()
        share.a_new_file(p)
        wait_until_equal(p)
    p.look()
    return 'watch: the share away and back, and a new file'
