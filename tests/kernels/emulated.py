#!/usr/bin/env python3
"""emulated.py run CPU PROGRAM | arm SOURCE BUILD: kernel tests on a CPU that is not here, by qemu-user.

`run` starts a program of this build on an x86-64 CPU by qemu's name for it. `arm` builds the tests of the kernels for
64-bit ARM in BUILD and runs each on a plain ARMv8 and on one with the dot product of bytes. Ends with 77, and a line
that says why, where qemu or the compiler is not installed.
"""
import pathlib
import shutil
import subprocess
import sys

ARM_CPUS = ('cortex-a57', 'max')


def require(*programs):
    for program in programs:
        if not shutil.which(program):
            print(f'skipped: {program} is not installed')
            sys.exit(77)


def run_on(cpu, program, emulator):
    print(f'== {cpu}: {pathlib.Path(program).name}', flush=True)
    return subprocess.run([emulator, '-cpu', cpu, program]).returncode


def check_arm(source, build):
    require('qemu-aarch64', 'aarch64-linux-gnu-gcc', 'meson', 'ninja')
    if not (build / 'build.ninja').exists():
        subprocess.run(['meson', 'setup', build, source, '--cross-file', source / 'tools/cross/aarch64.ini',
                        '-Donly_kernels=true'], check=True)
    programs = subprocess.check_output([sys.executable, source / 'tools/prerequisites.py', build, '+kernels'], text=True).split()
    subprocess.run(['ninja', '-C', build, *programs], check=True)
    failed = [f'{program} on {cpu}' for cpu in ARM_CPUS for program in programs
              if run_on(cpu, build / program, 'qemu-aarch64')]
    print(f'{len(programs)} programs on {len(ARM_CPUS)} CPUs, failed: {", ".join(failed) or "none"}')
    return bool(failed or not programs)


def main(kind, *args):
    if kind == 'run':
        require('qemu-x86_64')
        return run_on(*args, 'qemu-x86_64')
    return check_arm(*map(pathlib.Path, args))


sys.exit(main(*sys.argv[1:]))
