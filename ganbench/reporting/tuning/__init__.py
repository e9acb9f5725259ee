"""What the report shows of a suite that was tuned: a section before all others, made from plain data."""

from ganbench.reporting.tuning.record import TunedSubject as TunedSubject
from ganbench.reporting.tuning.section import verdict as verdict
from ganbench.reporting.tuning.section import with_tuning as with_tuning
from ganbench.reporting.tuning.section import write_tuning_report as write_tuning_report
