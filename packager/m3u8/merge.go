package m3u8

import (
	"errors"
	"fmt"
	"slices"
)

// ErrStale is wrapped by Merge if previous does not reach far enough for the update: a client then loads the
// whole playlist.
var ErrStale = errors.New("the playlist before does not hold what the update skips")

// Merge does what a client does with a delta update (rfc8216bis 6.3.7): it returns the whole playlist that
// update, as ParseMedia read it, stands for, given one that was whole. An update that skips nothing is
// returned as it is. The result shares slices with both.
func Merge(previous, update *Media) (*Media, error) {
	if update.Skip == nil {
		return update, nil
	}
	if previous.Skip != nil {
		return nil, errors.New("m3u8: merge: the playlist before is a delta update itself")
	}
	from := update.MediaSequence - previous.MediaSequence
	to := from + int64(update.Skip.Segments)
	if from < 0 || to > int64(len(previous.Segments)) {
		return nil, fmt.Errorf("m3u8: merge: %w: it has %d segments from %d, the update skips %d from %d", ErrStale,
			len(previous.Segments), previous.MediaSequence, update.Skip.Segments, update.MediaSequence)
	}
	whole := *update
	whole.Skip = nil
	whole.Segments = slices.Concat(previous.Segments[from:to], update.Segments)
	if update.Skip.V2 {
		whole.DateRanges = mergeDateRanges(previous.DateRanges, update)
	}
	return &whole, nil
}

// mergeDateRanges keeps those of before that were neither removed nor written again.
func mergeDateRanges(before []DateRange, update *Media) []DateRange {
	var all []DateRange
	for _, d := range before {
		again := slices.ContainsFunc(update.DateRanges, func(x DateRange) bool { return x.ID == d.ID })
		if !again && !slices.Contains(update.Skip.Removed, d.ID) {
			all = append(all, d)
		}
	}
	return append(all, update.DateRanges...)
}
