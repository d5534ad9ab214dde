package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
)

// hashFile returns the SHA-256 and the size of a local file.
func hashFile(path string) (sum string, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	hash := sha256.New()
	size, err = io.Copy(hash, file)
	return hex.EncodeToString(hash.Sum(nil)), size, errors.Join(err, file.Close())
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// HashFile returns the SHA-256 of a local file, as manifests name it.
func HashFile(path string) (string, error) {
	sum, _, err := hashFile(path)
	return sum, err
}
