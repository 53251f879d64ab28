package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// position is what a benchmark needs to know of a media playlist.
type position struct {
	msn  int64 // of the segment in progress
	part int   // the number of its parts, which is the next part's index
	hint string
	// parts are the URIs of all parts that are listed, oldest first.
	parts []string
	// seconds is the playlist's length, parts of the segment in progress included.
	seconds float64
}

// parsePlaylist reads the lines that position is made of.
func parsePlaylist(text []byte) (p position, err error) {
	if !strings.HasPrefix(string(text), "#EXTM3U") {
		return p, errors.New("not a playlist")
	}
	open := 0.0
	for line := range strings.Lines(string(text)) {
		tag, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch tag {
		case "#EXT-X-MEDIA-SEQUENCE":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return p, err
			}
			p.msn += n
		case "#EXTINF":
			d, _ := strconv.ParseFloat(strings.TrimSuffix(value, ","), 64)
			p.seconds += d
			p.msn++
			p.part, open = 0, 0
		case "#EXT-X-PART":
			d, _ := strconv.ParseFloat(attribute(value, "DURATION"), 64)
			open += d
			p.parts = append(p.parts, attribute(value, "URI"))
			p.part++
		case "#EXT-X-PRELOAD-HINT":
			if attribute(value, "TYPE") == "PART" {
				p.hint = attribute(value, "URI")
			}
		case "#EXT-X-GAP":
			p.seconds = 0 // what MediaMTX fills a young playlist with is no media
		}
	}
	p.seconds += open
	return p, nil
}

// attribute returns a value of an attribute list (rfc8216bis 4.2), without its quotes.
func attribute(list, name string) string {
	for list != "" {
		key, rest, _ := strings.Cut(list, "=")
		var value string
		if strings.HasPrefix(rest, `"`) {
			value, rest, _ = strings.Cut(rest[1:], `"`)
			rest = strings.TrimPrefix(rest, ",")
		} else {
			value, rest, _ = strings.Cut(rest, ",")
		}
		if strings.TrimSpace(key) == name {
			return value
		}
		list = rest
	}
	return ""
}

// rendition is a media playlist's path, and how to find what it names.
type rendition struct {
	c    *contender
	path *url.URL
}

// resolve returns the request target of a URI in the playlist.
func (r rendition) resolve(uri string) string {
	u, err := r.path.Parse(uri)
	if err != nil {
		return uri
	}
	return u.RequestURI()
}

// blocking returns the request target that waits for a position.
func (r rendition) blocking(msn int64, part int) string {
	u := *r.path
	q := u.Query()
	q.Set("_HLS_msn", strconv.FormatInt(msn, 10))
	q.Set("_HLS_part", strconv.Itoa(part))
	u.RawQuery = q.Encode()
	return u.RequestURI()
}

// load fetches the playlist and reads it.
func (r rendition) load(ctx context.Context, target string) (position, error) {
	b, err := r.c.get(ctx, target)
	if err != nil {
		return position{}, err
	}
	p, err := parsePlaylist(b)
	if err != nil {
		err = fmt.Errorf("%s: %w", target, err)
	}
	return p, err
}

// video finds the first variant's playlist of a show. It tries again until patience is at an end, since
// a show takes a moment to appear.
func (c *contender) video(ctx context.Context, name string, patience time.Duration) (rendition, error) {
	path := fmt.Sprintf(c.playlist, name)
	for deadline := time.Now().Add(patience); ; {
		b, err := c.get(ctx, path)
		if err == nil {
			for line := range strings.Lines(string(b)) {
				if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
					continue
				}
				base, err := url.Parse(path)
				if err != nil {
					return rendition{}, err
				}
				u, err := base.Parse(line)
				return rendition{c, u}, err
			}
			err = errors.New(path + ": no variant")
		}
		if time.Now().After(deadline) {
			return rendition{}, err
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return rendition{}, err
		}
	}
}
