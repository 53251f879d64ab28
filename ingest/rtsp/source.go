package rtsp

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"pushcart/auth"
)

// PullConfig says which shows are fetched from cameras. The zero value fetches none.
type PullConfig struct {
	// Streams are the shows; none by default.
	Streams []Stream `yaml:"streams"`
}

// Stream is a show that is fetched.
type Stream struct {
	// Name is the show's: http://HOST:8080/live/NAME/.
	Name string `yaml:"name"`
	// Source is the camera's address: rtsp://USER:PASSWORD@HOST/PATH, or rtsps://.
	Source Source `yaml:"source"`
	// Transport is how packets come: "tcp", "udp", or "auto", the default, which is TCP where the camera can.
	Transport string `yaml:"transport"`
	// OnDemand fetches the show only while somebody watches; false by default.
	OnDemand bool `yaml:"on_demand"`
	// Date is what the show's program date-time follows; arrival by default.
	Date Date `yaml:"date"`
	// InsecureTLS takes any certificate of an rtsps camera; false by default. Cameras' own are
	// self-signed, most often.
	InsecureTLS bool `yaml:"insecure_tls"`
}

// Source is a camera's address. It does not show itself in logs and messages beyond the host: passwords are
// in the user part, but also in the paths and queries of some makes. string(s) has it all.
type Source string

// String returns the scheme and the host.
func (s Source) String() string {
	scheme, rest, ok := strings.Cut(string(s), "://")
	if !ok {
		return "(hidden)"
	}
	rest, _, _ = strings.Cut(rest, "/")
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	rest, _, _ = strings.Cut(rest, "?")
	return oneLine(scheme + "://" + rest + "/…")
}

// GoString does the same for %#v.
func (s Source) GoString() string { return s.String() }

// LogValue keeps slog from seeing more.
func (s Source) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps encoders (JSON, YAML) from seeing more.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// scrub takes what may be secret in the address out of a message.
func (s Source) scrub(message string) string {
	message = strings.ReplaceAll(message, string(s), s.String())
	u, err := base.ParseURL(string(s))
	if err != nil {
		return message
	}
	secrets := []string{(*url.URL)(u).RequestURI()}
	if u.User != nil {
		password, _ := u.User.Password()
		secrets = append(secrets, u.User.String(), password, url.QueryEscape(password))
	}
	for _, secret := range secrets {
		const shortest = 2 // "/" is no secret
		if len(secret) >= shortest {
			message = strings.ReplaceAll(message, secret, "…")
		}
	}
	return message
}

// How packets may come.
const (
	transportAuto = "auto"
	transportTCP  = "tcp"
	transportUDP  = "udp"
)

// maxStreams bounds the list.
const maxStreams = 10_000

// WithDefaults returns c: the zero values of a stream are its defaults.
func (c PullConfig) WithDefaults() PullConfig { return c }

// Validate reports everything that is wrong with c, joined. Each error begins with its key.
func (c PullConfig) Validate() error {
	if len(c.Streams) > maxStreams {
		return fmt.Errorf("streams has %d entries: list at most %d", len(c.Streams), maxStreams)
	}
	var errs []error
	first := make(map[string]int, len(c.Streams))
	for i, s := range c.Streams {
		key := func(name string) string { return fmt.Sprintf("streams[%d].%s", i, name) }
		if err := auth.CheckName(s.Name); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key("name"), err))
		} else if j, ok := first[s.Name]; ok {
			errs = append(errs, fmt.Errorf("%s is the same as that of streams[%d]: each show has one source", key("name"), j))
		} else {
			first[s.Name] = i
		}
		if err := s.Source.check(); err != nil {
			errs = append(errs, fmt.Errorf("%s %w", key("source"), err))
		}
		switch s.Transport {
		case "", transportAuto, transportTCP, transportUDP:
		default:
			errs = append(errs, fmt.Errorf(`%s is %q: it must be "auto", "tcp" or "udp"`, key("transport"), s.Transport))
		}
		if s.Transport == transportUDP && strings.HasPrefix(string(s.Source), "rtsps://") {
			errs = append(errs, fmt.Errorf("%s can't be udp for an rtsps camera: leave it out", key("transport")))
		}
		if err := checkDate(key("date"), s.Date); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// check says what is wrong with an address, without repeating it.
func (s Source) check() error {
	u, err := base.ParseURL(string(s))
	switch {
	case s == "":
		return errors.New("is missing: write the camera's address, rtsp://USER:PASSWORD@HOST/PATH")
	case err != nil || u.Scheme != "rtsp" && u.Scheme != "rtsps" || u.Hostname() == "":
		return errors.New("must be rtsp://USER:PASSWORD@HOST/PATH; in a password, write % as %25, @ as %40, : as %3A, / as %2F, # as %23 and ? as %3F")
	}
	return nil
}
