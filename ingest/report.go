package ingest

import "time"

// Reporter is what a Publisher can be besides: a door that repairs things before the session sees them
// tells of it here. *Session implements it.
type Reporter interface {
	// Count adds n to the show's counter of a repair. Names are few and constant.
	Count(repair string, n int64)
	// Remark notes a sentence for the operator and the host, which is logged when it is the first of
	// its kind.
	Remark(kind, sentence string)
}

// Count implements Reporter.
func (s *Session) Count(repair string, n int64) { s.pub.Count(repair, n) }

// Remark implements Reporter.
func (s *Session) Remark(kind, sentence string) { s.pub.Remark(kind, sentence) }

// Dater is what a Publisher can be besides, for doors whose hosts tell when a picture was captured.
type Dater interface {
	// Date says that the time 0 of the units to come was at zero on the wall clock. It counts if it comes
	// before the first unit, and is near enough to now to be true.
	Date(zero time.Time)
}
