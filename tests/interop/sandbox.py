"""A sandbox for the time of a test: started on ports that are free, stopped by its process id."""
import os
import subprocess
import tempfile

from fixture import TOP

SANDBOX = os.environ.get('OMERO_SANDBOX') or os.path.join(TOP, 'build', 'sandbox', 'omero-sandbox')


class Sandbox:
    def __enter__(self):
        self.dir = tempfile.TemporaryDirectory(prefix='impomero-sandbox-')
        self.log = open(os.path.join(self.dir.name, 'log'), 'w+', encoding='utf-8')
        return self.start()

    def start(self):
        self.process = subprocess.Popen([SANDBOX, '--data', os.path.join(self.dir.name, 'data'), '--users', os.path.join(TOP, 'sample', 'users.toml'),
                                         '--port', '0'], stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line.startswith('ready ssl='):
            self.process.wait(10)
            self.log.seek(0)
            raise RuntimeError(f'the sandbox does not start: {line}{self.log.read()}')
        self.address = 'localhost:' + line.split('ssl=')[1].split()[0]
        return self

    def stop(self):
        self.process.terminate()
        self.status = self.process.wait(30)
        self.process.stdout.close()

    def restart(self):
        """The same server on another port, without anybody's session."""
        self.stop()
        if self.status != 0:
            raise RuntimeError(f'the sandbox ends with status {self.status}')
        self.start()

    def __exit__(self, *_):
        """Stop it.  It ends with a status of its own when a client broke the one-call-at-a-time rule."""
        self.stop()
        self.log.seek(0)
        self.said = self.log.read()
        self.log.close()
        self.dir.cleanup()
