"""Has the checks of the questions say what differs, as test modules do."""

import pytest

pytest.register_assert_rewrite("tests.integration.ops.asking")
