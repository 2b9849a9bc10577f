from liftgate.engine.core.events cimport ScanDecided
from liftgate.engine.core.parts.passes cimport Group, Holder, Pass, before_barrier, kept_with
