package origin

import (
	"context"
	"errors"
	"time"

	"pushcart/packager"
)

// faulty is a show that breaks its promises.
type faulty struct{}

func (faulty) Multivariant(context.Context) (*packager.Document, error) {
	return nil, errors.New("a fault that nobody has foreseen")
}

func (f faulty) Playlist(ctx context.Context, _ string, _ int64, _ int, _ packager.Skip) (*packager.Document, error) {
	return f.Multivariant(ctx)
}

func (faulty) Object(ctx context.Context, _ string) (packager.Object, error) {
	ctx.Done() // takes a place
	panic("a show's fault")
}

func (faulty) Ended() bool                   { return false }
func (faulty) TargetDuration() time.Duration { return 0 }
func (faulty) PartTarget() time.Duration     { return 0 }
