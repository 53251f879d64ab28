package sound

import (
	"errors"
	"fmt"

	"pushcart/media"
	"pushcart/stream"
	"pushcart/transcode/ffmpeg"
)

// copier does a task without ffmpeg: it offers the voice alone, as it is.
type copier struct {
	pub  *stream.Publisher
	from int // the input
}

var _ maker = (*copier)(nil)

// newCopier joins the show with the voice of k, which has a plain one. Errors are errAgain, and a *ffmpeg.Failure where
// the show has no room for it.
func newCopier(j *job, k *task) (*copier, error) {
	pub, err := j.place().Join([]media.Track{*k.plain})
	switch {
	case errors.Is(err, stream.ErrClosed):
		return nil, errAgain // what is over, whoever follows the show finds out
	case err != nil:
		return nil, &ffmpeg.Failure{Why: fmt.Sprintf("is not heard: %v", err)}
	}
	return &copier{pub, len(k.inputs) - 1}, nil
}

// push implements maker. That the show is over, the job finds out.
func (c *copier) push(input int, au media.AccessUnit) {
	if input == c.from {
		au.Track = 1
		_ = c.pub.Write(au)
	}
}

// away implements maker.
func (c *copier) away(bool) bool { return false }

// Stop implements maker.
func (c *copier) Stop(why error) { c.pub.Close(why) }
