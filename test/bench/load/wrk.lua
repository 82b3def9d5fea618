-- Draws the values of a request's places anew for each request, and looks at each answer.
-- Arguments: method, path, body, mark, how often it must be there, seed, then name, prefix, from, to of each value.

local method, pathPieces, bodyPieces, mark, times
local draws, values = {}, {}

threads = {}
function setup(thread)
  table.insert(threads, thread)
end

local function pieces(template)
  local list, position = {}, 1
  while true do
    local first, last, name = template:find('{{(%w+)}}', position)
    if not first then break end
    list[#list + 1] = template:sub(position, first - 1)
    list[#list + 1] = name
    position = last + 1
  end
  list[#list + 1] = template:sub(position)
  return list
end

local function fill(list)
  local filled = {}
  for place, piece in ipairs(list) do
    filled[place] = place % 2 == 0 and values[piece] or piece
  end
  return table.concat(filled)
end

function init(args)
  wrongAnswers = 0
  method, pathPieces, bodyPieces = args[1], pieces(args[2]), pieces(args[3])
  mark, times = args[4], tonumber(args[5])
  math.randomseed(tonumber(args[6]))
  for place = 7, #args, 4 do
    draws[args[place]] = { args[place + 1], tonumber(args[place + 2]), tonumber(args[place + 3]) }
  end
end

function request()
  for name, range in pairs(draws) do
    values[name] = range[1] .. string.format('%.0f', math.floor(range[2] + math.random() * (range[3] - range[2] + 1)))
  end
  local body = method == 'POST' and fill(bodyPieces) or nil
  return wrk.format(method, fill(pathPieces), nil, body)
end

local function isRight(status, body)
  if status ~= 200 or body:find('"errors"', 1, true) then return false end
  local count, position = 0, 1
  while true do
    local _, last = body:find(mark, position, true)
    if not last then return count == times end
    count, position = count + 1, last + 1
  end
end

function response(status, headers, body)
  if not isRight(status, body) then
    wrongAnswers = wrongAnswers + 1
    firstWrong = firstWrong or (status .. ' ' .. body:sub(1, 500))
  end
end

function done(summary, latency, requests)
  local errors, wrong, example = summary.errors, 0, ''
  for _, thread in ipairs(threads) do
    wrong = wrong + thread:get('wrongAnswers')
    example = thread:get('firstWrong') or example
  end
  print(string.format('answers=%d seconds=%f wrong=%d broken=%d p50=%f p99=%f',
    summary.requests, summary.duration / 1e6, wrong,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
  print('example=' .. example)
end
