package auth

import (
	"fmt"
	"strings"
)

// MaxName is the length of the longest name of a show.
const MaxName = 128

// reserved are names that a viewer's or an operator's address already means something else by.
var reserved = map[string]bool{
	"index.html":      true,
	"index.m3u8":      true,
	"favicon.ico":     true,
	"robots.txt":      true,
	"crossdomain.xml": true,
}

// CheckName returns nil if name can be the name of a show, else a *Denied that says what is wrong with
// it. Names stand in addresses, playlists and file names as they are, so they are made of the characters
// that a URL never escapes (RFC 3986 section 2.3): letters, digits, '-', '.', '_' and '~'. A dot can be neither
// the first nor the last of them: browsers fold "." and "..".
func CheckName(name string) error {
	switch {
	case name == "":
		return &Denied{"The show has no name: use letters, digits, '-', '.', '_' or '~'."}
	case len(name) > MaxName:
		return &Denied{fmt.Sprintf("The show's name is too long: use at most %d characters.", MaxName)}
	case strings.IndexFunc(name, notInNames) >= 0:
		return &Denied{"The show's name has a character that can't stand in an address: use letters without accents, digits, '-', '.', '_' and '~' only."}
	case name[0] == '.' || name[len(name)-1] == '.':
		return &Denied{"The show's name begins or ends with a dot: leave it out."}
	case reserved[strings.ToLower(name)]:
		return &Denied{fmt.Sprintf("The name %q is used by the server itself: choose another.", name)}
	}
	return nil
}

func notInNames(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("-._~", r)
}
