package harness

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// What the machine can do is measured, not assumed: a goroutine asks to be woken a hundred times a second, a timer in each
// page four times, and it is noted how late they are. On a machine that keeps up with a host, a server and a browser
// that is a few milliseconds.
const (
	meterEvery = 10 * time.Millisecond
	// meterKept bounds the notes that are kept: twenty minutes of a machine that is late each time.
	meterKept = 1 << 17
	// lateWake is a delay that is noted: a third of a frame.
	lateWake = 11 * time.Millisecond
	// shortOfTime is the longest delay of a machine that keeps up. A picture, a card and a sound are each made by a
	// chain of processes that are woken one after the other.
	shortOfTime = 100 * time.Millisecond
	// aftermath is how long what was late shows: the fastest unit of half a minute counts for where sound and picture go.
	aftermath = 40 * time.Second
)

type lateness struct {
	due  time.Time
	late time.Duration
}

var meter struct {
	start sync.Once
	mu    sync.Mutex // guards notes
	notes []lateness
}

// Watch begins to measure how late the machine wakes those who sleep. It goes on until the process ends.
func Watch() {
	meter.start.Do(func() {
		go func() {
			for {
				due := time.Now().Add(meterEvery)
				time.Sleep(meterEvery)
				if late := time.Since(due); late >= lateWake {
					noteLate(due, late)
				}
			}
		}()
	})
}

func noteLate(due time.Time, late time.Duration) {
	meter.mu.Lock()
	defer meter.mu.Unlock()
	if len(meter.notes) < meterKept {
		meter.notes = append(meter.notes, lateness{due, late})
	}
}

// Strain returns the longest time since then by which a sleeper was woken late: this process, or the observer in a page.
func Strain(since time.Time) (worst time.Duration) {
	meter.mu.Lock()
	defer meter.mu.Unlock()
	for _, n := range meter.notes {
		if n.due.Add(n.late).After(since) {
			worst = max(worst, n.late)
		}
	}
	return worst
}

// Fairly runs an attempt at something that takes a machine that keeps up, and fails the test with the faults that it
// returns. If there are some, and the machine was measurably short of time then or just before, there is another attempt, up to
// three in all; the last one counts whatever the machine did. What is wrong with the server is wrong each time. With
// E2E_JUDGE the machine has to keep up, and there is one attempt.
func Fairly(t testing.TB, what string, attempt func() (faults []string)) {
	t.Helper()
	attempts := 3
	if os.Getenv("E2E_JUDGE") != "" {
		attempts = 1
	}
	for i := 1; ; i++ {
		began := time.Now()
		faults := attempt()
		if len(faults) == 0 {
			return
		}
		strain := Strain(began.Add(-aftermath))
		if i == attempts || strain < shortOfTime {
			t.Errorf("%s: %s (attempt %d; the machine was up to %v late)", what, strings.Join(faults, "; "), i, strain.Round(time.Millisecond))
			return
		}
		t.Logf("%s: once more, as the machine was %v late: %s", what, strain.Round(time.Millisecond), strings.Join(faults, "; "))
	}
}
