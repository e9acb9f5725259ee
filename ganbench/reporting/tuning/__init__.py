"""What the report shows of a suite that was tuned: a section before all others, from what the store keeps of it."""

from ganbench.reporting.tuning.section import Tuning as Tuning
from ganbench.reporting.tuning.section import tuning as tuning
