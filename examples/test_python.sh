#!/bin/sh
# test_python.sh BUILD_ROOT FIRST_PORT - the Python bindings, and the programs that use them.
. "$(dirname "$0")/test_lib.sh"

here=$(cd "$(dirname "$0")/python" && pwd)
start_cluster 3
REDLOCK_LIBRARY=$build/lib/libredlock.so.0
TEST_DIR=$dir
PROGRAMS=$here
PYTHONDONTWRITEBYTECODE=1
PYTHONPATH=$here
export REDLOCK_LIBRARY TEST_DIR PROGRAMS PYTHONDONTWRITEBYTECODE PYTHONPATH
python3 -X dev -W error "$here/test_redlock.py"
claim "the tests in Python pass" $? -eq 0
finish
