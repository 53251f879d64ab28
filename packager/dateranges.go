package packager

import (
	"slices"
	"time"

	"pushcart/packager/m3u8"
)

// maxRanges bounds the date range tags of a show; the oldest go first.
const maxRanges = 10_000

// dateRanges is the list of date ranges of a show. What is in its slices is never modified, so that
// playlists can share them.
type dateRanges struct {
	listed  []listedRange
	removed []removedRange
}

type listedRange struct {
	m3u8.DateRange
	added time.Time // live edge at that moment
}

type removedRange struct {
	id string
	at time.Time // live edge at that moment
}

// add lists d. A range of the same ID stays; d is a second tag, which may only add attributes
// (rfc8216bis 4.4.5.1). It returns the ID of the range that had to make room, "" if none had.
func (l *dateRanges) add(d m3u8.DateRange, edge time.Time) (forgotten string) {
	if len(l.listed) >= maxRanges {
		forgotten = l.oldest()
		l.remove(map[string]bool{forgotten: true}, edge)
	}
	l.listed = append(l.listed, listedRange{d, edge})
	return forgotten
}

// oldest is the ID of the range that was closed first, or if all are open, opened first.
func (l *dateRanges) oldest() string {
	for _, d := range l.listed {
		if d.Duration >= 0 {
			return d.ID
		}
	}
	return l.listed[0].ID
}

// expire removes the ranges that end before first, the beginning of the window, and returns their IDs: open
// ones stay until a second tag has closed them. What was removed before since is not told in delta updates any
// more.
func (l *dateRanges) expire(first, edge, since time.Time) (expired []string) {
	over := make(map[string]bool)
	for _, d := range l.listed {
		if d.Duration >= 0 && d.Start.Add(d.Duration).Before(first) {
			over[d.ID] = true
			expired = append(expired, d.ID)
		}
	}
	if len(over) > 0 {
		l.remove(over, edge)
	}
	old := 0
	for old < len(l.removed) && l.removed[old].at.Before(since) {
		old++
	}
	l.removed = l.removed[old:]
	return expired
}

// remove takes all tags of some IDs out of the list.
func (l *dateRanges) remove(over map[string]bool, edge time.Time) {
	kept := make([]listedRange, 0, len(l.listed))
	removed := slices.Clone(l.removed)
	for _, d := range l.listed {
		switch {
		case !over[d.ID]:
			kept = append(kept, d)
		case !slices.ContainsFunc(removed, func(x removedRange) bool { return x.id == d.ID }):
			removed = append(removed, removedRange{d.ID, edge})
		}
	}
	l.listed, l.removed = kept, removed
}
