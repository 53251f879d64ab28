package packager

import (
	"context"
	"errors"
	"log/slog"

	"pushcart/stream"
)

// Run feeds p from r until the show is over or ctx is done. It sleeps while what comes changes nothing for viewers
// (Packager.Due). In either case the playlists end, but for those of a show that is suspended: whoever waits for them
// has to be told by other means. It is the only caller of p.Apply, and r belongs to it.
func Run(ctx context.Context, r *stream.Reader, p *Packager, log *slog.Logger) {
	defer r.Close()
	var due []stream.Due
	for {
		due = p.Due(due[:0])
		events, err := r.Await(ctx, due)
		switch {
		case errors.Is(err, stream.ErrLagged):
			log.Warn("the packager has fallen behind: viewers skip to the next keyframe")
			continue
		case err != nil:
			p.Apply(stream.Event{Kind: stream.EventEnded})
			return
		}
		for _, ev := range events {
			if err := p.Apply(ev); err != nil {
				log.Warn(err.Error())
			}
		}
	}
}
