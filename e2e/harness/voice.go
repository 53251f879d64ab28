package harness

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/url"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// OwnSound is the host's, where there could be a language.
const OwnSound = "the host's own"

// Late says how much later than it was made what a host shows, or an interpreter says, stands on a show's
// timeline, by program date-time. language is an interpreter's, or OwnSound, of whose lateness whole seconds can't be heard;
// empty for the picture.
func (s *Server) Late(t testing.TB, name, language string) time.Duration {
	t.Helper()
	var late time.Duration
	var err error
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if late, err = readLate("http://"+s.Origin+"/live/"+name+"/", language); err == nil {
			return late
		}
	}
	t.Fatalf("%s, language %q: %v", name, language, err)
	return 0
}

func readLate(base, language string) (time.Duration, error) {
	_, index := get(base + "index.m3u8")
	tag := regexp.MustCompile(`(?m)^#EXT-X-STREAM-INF:.*\n(\S+)$`)
	switch {
	case language == OwnSound:
		tag = regexp.MustCompile(`(?m)^#EXT-X-MEDIA:.*DEFAULT=YES.*URI="([^"]+)"`)
	case language != "":
		tag = regexp.MustCompile(`(?m)^#EXT-X-MEDIA:.*LANGUAGE="` + regexp.QuoteMeta(language) + `".*URI="([^"]+)"`)
	}
	found := tag.FindStringSubmatch(index)
	if found == nil {
		return 0, fmt.Errorf("it is not in the multivariant playlist")
	}
	playlist, err := url.Parse(base + found[1])
	if err != nil {
		return 0, err
	}
	date, media, err := newestSegment(playlist)
	if err != nil {
		return 0, err
	}
	if language == "" {
		_, drawn, err := decodeStamp(media)
		return date.Sub(drawn), err
	}
	at, err := decodeBeep(media)
	date = date.Add(at)
	return date.Sub(date.Truncate(time.Second)), err
}

// decodeBeep returns how far from its beginning the first beep in a piece of media is that begins there.
func decodeBeep(media *bytes.Buffer) (time.Duration, error) {
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", "pipe:0", "-ac", "1", "-ar", fmt.Sprint(sampleRate), "-f", "s16le", "pipe:1")
	cmd.Stdin = media
	pcm, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("ffmpeg: %w", err)
	}
	const loud = 4000
	quiet := 0
	for i := 0; i+1 < len(pcm); i += 2 {
		v := int16(binary.LittleEndian.Uint16(pcm[i:]))
		if v < loud && v > -loud {
			quiet++
			continue
		}
		if quiet > sampleRate/10 {
			return time.Duration(i/2) * time.Second / sampleRate, nil
		}
		quiet = 0
	}
	return 0, fmt.Errorf("no beep in %d samples", len(pcm)/2)
}
