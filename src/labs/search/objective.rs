//! What a picture is to make a network say, as an expression: `0.2*channel(block5, 20) + class(flamingo) - 0.01*tv`.

use crate::protocol::failure::Failure;
use crate::protocol::named_layers::Layers;

/// A sum of terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// Weight and kind of each.
    pub terms: Vec<(f32, Wish)>,
}

/// What a term is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The logit of a class.
    Class(usize),
    /// The mean of a channel over all places of a layer's map: layer and channel.
    Channel(usize, usize),
    /// A channel at the middle of the map.
    Unit(usize, usize),
    /// Half the mean square of all of a layer's map: DeepDream's.
    Layer(usize),
    /// Total variation: the mean square of the steps between neighbours.
    Variation,
    /// The mean square of how far pixels are from grey, in shares of half the range.
    Contrast,
}

impl Wish {
    /// The layer that it is about, where it is about one.
    pub fn layer(self) -> Option<usize> {
        match self {
            Self::Channel(layer, _) | Self::Unit(layer, _) | Self::Layer(layer) => Some(layer),
            Self::Class(_) | Self::Variation | Self::Contrast => None,
        }
    }
}

impl Objective {
    /// Reads an expression for a network.
    ///
    /// # Errors
    /// [`Failure::ObjectiveUnread`], [`Failure::NoSuchLayer`], [`Failure::NoSuchChannel`], [`Failure::NoSuchClass`].
    pub fn parse(text: &str, network: &Layers) -> Result<Self, Failure> {
        let mut reader = Reader {
            rest: text.trim(),
            network,
        };
        let mut terms = Vec::new();
        while !reader.rest.is_empty() {
            let sign = match reader.next_of(&['+', '-']) {
                Some('-') => -1.0,
                // The first needs none.
                None if !terms.is_empty() => return Err(reader.unread()),
                _ => 1.0,
            };
            let (weight, wish) = reader.term()?;
            terms.push((sign * weight, wish));
        }
        if terms
            .iter()
            .all(|(_, wish)| matches!(wish, Wish::Variation | Wish::Contrast))
        {
            // Nothing of it is about the network.
            return Err(Failure::ObjectiveUnread {
                text: text.trim().into(),
            });
        }
        Ok(Self { terms })
    }

    /// The class that is asked for first.
    pub fn class(&self) -> Option<usize> {
        self.terms.iter().find_map(|&(weight, wish)| match wish {
            Wish::Class(class) if weight > 0.0 => Some(class),
            _ => None,
        })
    }

    /// The last layer that has to be reached; none for the logits.
    pub fn last_layer(&self) -> Option<usize> {
        match self.class() {
            Some(_) => None,
            None if self
                .terms
                .iter()
                .any(|(_, wish)| matches!(wish, Wish::Class(_))) =>
            {
                None
            }
            None => self.terms.iter().filter_map(|(_, wish)| wish.layer()).max(),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    network: &'a Layers,
}

impl<'a> Reader<'a> {
    fn unread(&self) -> Failure {
        Failure::ObjectiveUnread {
            text: self.rest.chars().take(24).collect(),
        }
    }

    fn skip(&mut self, bytes: usize) -> &'a str {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.rest = rest.trim_start();
        skipped
    }

    fn next_of(&mut self, signs: &[char]) -> Option<char> {
        let next = self
            .rest
            .chars()
            .next()
            .filter(|next| signs.contains(next))?;
        self.skip(next.len_utf8());
        Some(next)
    }

    /// `0.2*channel(block5, 20)`.
    fn term(&mut self) -> Result<(f32, Wish), Failure> {
        let length = self
            .rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(self.rest.len());
        let mut weight = 1.0;
        if length > 0 {
            weight = self.rest[..length].parse().map_err(|_| self.unread())?;
            self.skip(length);
            if self.next_of(&['*', '·', '×']).is_none() {
                return Err(self.unread());
            }
        }
        Ok((weight, self.wish()?))
    }

    fn wish(&mut self) -> Result<Wish, Failure> {
        let length = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(self.rest.len());
        let name = &self.rest[..length];
        let wish: fn(usize, usize) -> Wish = match name {
            "tv" | "l2" => {
                let is_variation = name == "tv";
                self.skip(length);
                return Ok(if is_variation {
                    Wish::Variation
                } else {
                    Wish::Contrast
                });
            }
            "class" => |class, _| Wish::Class(class),
            "channel" => Wish::Channel,
            "unit" => Wish::Unit,
            "layer" => |layer, _| Wish::Layer(layer),
            _ => return Err(self.unread()),
        };
        let begins = self.rest[length..].trim_start();
        let arguments = begins
            .strip_prefix('(')
            .and_then(|inside| inside.split_once(')'));
        let Some((arguments, after)) = arguments else {
            return Err(self.unread());
        };
        let name = name.to_string();
        let mut arguments = arguments.split(',').map(str::trim);
        let first = arguments.next().unwrap_or_default();
        let [first, second] = match (name.as_str(), arguments.next(), arguments.next()) {
            ("class", None, _) => [self.class(first)?, 0],
            ("layer", None, _) => [self.layer(first)?, 0],
            ("channel" | "unit", Some(second), None) => {
                let layer = self.layer(first)?;
                [layer, self.channel(layer, second)?]
            }
            _ => return Err(self.unread()),
        };
        self.rest = after.trim_start();
        Ok(wish(first, second))
    }

    fn class(&self, name: &str) -> Result<usize, Failure> {
        let classes = self.network.classes;
        let named = classes
            .iter()
            .position(|class| class.eq_ignore_ascii_case(name));
        let class = named.or_else(|| name.parse().ok());
        class
            .filter(|&class| class < classes.len())
            .ok_or_else(|| match classes.len() {
                0 => Failure::NoClasses {
                    network: self.network.network.into(),
                },
                classes => Failure::NoSuchClass {
                    class: name.into(),
                    last: classes - 1,
                },
            })
    }

    fn layer(&self, name: &str) -> Result<usize, Failure> {
        self.network.find(name).ok_or_else(|| Failure::NoSuchLayer {
            layer: name.into(),
            network: self.network.network.into(),
            first: self.network.layers[0].name.into(),
            last: self.network.layers[self.network.layers.len() - 1]
                .name
                .into(),
        })
    }

    fn channel(&self, layer: usize, number: &str) -> Result<usize, Failure> {
        let layer = self.network.layers[layer];
        let known = number
            .parse()
            .ok()
            .filter(|&number| number < layer.channels);
        known.ok_or_else(|| Failure::NoSuchChannel {
            channel: number.into(),
            layer: layer.name.into(),
            last: layer.channels - 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::named_layers::{EFFICIENTNET_LITE0, VGG16};

    fn read(text: &str) -> Result<Vec<(f32, Wish)>, Failure> {
        Objective::parse(text, &EFFICIENTNET_LITE0).map(|objective| objective.terms)
    }

    #[test]
    fn expressions_are_read() {
        assert_eq!(
            read("0.2*channel(block5, 20) + class(281) - 0.01 * tv"),
            Ok(vec![
                (0.2, Wish::Channel(5, 20)),
                (1.0, Wish::Class(281)),
                (-0.01, Wish::Variation),
            ])
        );
        assert_eq!(
            read(" -class( Egyptian Cat ) +unit(0,31)-2*layer(head)-l2 "),
            Ok(vec![
                (-1.0, Wish::Class(285)),
                (1.0, Wish::Unit(0, 31)),
                (-2.0, Wish::Layer(17)),
                (-1.0, Wish::Contrast),
            ])
        );
        // By number, too.
        assert_eq!(
            read("channel(3, 20)"),
            Ok(vec![(1.0, Wish::Channel(3, 20))])
        );
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let unread = |text: &str| Failure::ObjectiveUnread { text: text.into() };
        for (text, rest) in [
            ("", ""),
            ("cat", "cat"),
            ("class(1) class(2)", "class(2)"),
            ("class(1) + ", ""),
            ("class(1", "class(1"),
            ("3", ""),
            ("0.1.2*tv", "0.1.2*tv"),
            ("channel(block5)", "channel(block5)"),
            ("class(1) + (tv)", "(tv)"),
            ("tv", "tv"),
            ("ä", "ä"),
        ] {
            assert_eq!(read(text), Err(unread(rest)), "{text}");
        }
        assert!(matches!(
            read("class(1000)"),
            Err(Failure::NoSuchClass { last: 999, .. })
        ));
        assert!(matches!(
            read("class(unicorn)"),
            Err(Failure::NoSuchClass { .. })
        ));
        assert!(matches!(
            read("layer(conv4_3)"),
            Err(Failure::NoSuchLayer { .. })
        ));
        assert!(matches!(
            read("channel(head,1280)"),
            Err(Failure::NoSuchChannel { last: 1279, .. })
        ));
        let on_vgg = Objective::parse("class(1)", &VGG16);
        assert_eq!(
            on_vgg,
            Err(Failure::NoClasses {
                network: "vgg16".into()
            })
        );
    }

    #[test]
    fn a_pass_goes_as_far_as_it_has_to() {
        let last = |text| {
            Objective::parse(text, &EFFICIENTNET_LITE0)
                .expect("one")
                .last_layer()
        };
        assert_eq!(last("channel(2,3) - layer(7)"), Some(7));
        assert_eq!(last("channel(2,3) - class(7)"), None);
        assert_eq!(last("channel(2,3) - tv"), Some(2));
    }
}
