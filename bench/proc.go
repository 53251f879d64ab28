package main

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is the unit of processor times in /proc; USER_HZ is 100 on every Linux architecture that Go
// runs on.
const clockTick = 10 * time.Millisecond

// processTime returns the processor time that a process has used, in user and kernel mode.
func processTime(pid int) (time.Duration, error) {
	stat := readFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, ok := strings.Cut(stat, ") ") // the name in parentheses may contain anything
	f := strings.Fields(after)
	if !ok || len(f) < 13 {
		return 0, fmt.Errorf("process %d is gone", pid)
	}
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * clockTick, nil
}

// residentBytes returns a process's resident set size.
func residentBytes(pid int) int64 {
	for line := range strings.Lines(readFile(fmt.Sprintf("/proc/%d/status", pid))) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// busyMeter is what all processors together have done so far, in ticks.
type busyMeter struct{ busy, total int64 }

func readBusy() (m busyMeter) {
	line, _, _ := strings.Cut(readFile("/proc/stat"), "\n")
	for i, s := range strings.Fields(line) {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || i > 8 { // guest time is in user time already
			continue
		}
		m.total += n
		if i != 4 && i != 5 { // idle and iowait
			m.busy += n
		}
	}
	return m
}

// since returns the share of processor time that was used since an earlier reading.
func (m busyMeter) since(earlier busyMeter) float64 {
	if m.total == earlier.total {
		return 0
	}
	return float64(m.busy-earlier.busy) / float64(m.total-earlier.total)
}

// ownTime returns the processor time of this process and of its children that have ended.
func ownTime() time.Duration {
	total := time.Duration(0)
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err == nil {
			total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return total
}
