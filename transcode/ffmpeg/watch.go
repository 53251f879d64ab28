package ffmpeg

import "time"

// What those who judge a run go by. How far behind is too far differs with what is made.
const (
	// WatchEvery is how often a run is looked at.
	WatchEvery = 500 * time.Millisecond
	// StartTimeout is how long it may take until what it makes has joined the show.
	StartTimeout = 20 * time.Second
	// Silence is how long a process has said nothing when it hangs, and is not only slow.
	Silence = 3 * time.Second

	// MaxOverflows of the queue within overflowSpan are too many.
	MaxOverflows = 3
	overflowSpan = time.Minute
)

// Overflows tells a queue that is full again and again from one that was now and then. The zero value is ready.
type Overflows struct {
	total  int
	newest []time.Time // of the last few, when they were seen
}

// TooMany takes the number of overflows so far, and reports whether there have been too many of late.
func (o *Overflows) TooMany(now time.Time, total int) bool {
	for ; o.total < total; o.total++ {
		o.newest = append(o.newest, now)
	}
	o.newest = o.newest[max(0, len(o.newest)-MaxOverflows):]
	return len(o.newest) == MaxOverflows && now.Sub(o.newest[0]) < overflowSpan
}
